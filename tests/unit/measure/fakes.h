#pragma once

#include <algorithm>
#include <cstdint>
#include <string>
#include <vector>

#include "adamec/base/error.h"
#include "adamec/graph/atom_graph.h"
#include "adamec/machine/clock.h"
#include "adamec/machine/context_control.h"
#include "adamec/measure/runnable.h"
#include "adamec/v1/archive.pb.h"

namespace adamec::testing {

class FakeClock final : public machine::Clock {
 public:
  double wall_us() const override { return wall; }
  double cpu_us() const override { return cpu; }
  double core_speed() const override { return speed; }
  double wall = 0;
  double cpu = 0;
  double speed = 1;
};

// Takes the time it is told; `times` are used in turn, then the last one for ever.
class FakeRunnable final : public measure::Runnable {
 public:
  FakeRunnable(FakeClock& clock, std::vector<double> times) : clock_(clock), times_(times) {}
  void run() override {
    if (runs == fail_at) fail("fake: broken");
    const double time = times_[std::min(runs, times_.size() - 1)];
    clock_.wall += time;
    clock_.cpu += time / 2;
    ++runs;
    if (last != nullptr) *last = name;
  }
  std::size_t runs = 0;
  std::size_t fail_at = SIZE_MAX;
  std::string name;
  std::string* last = nullptr;  // takes the name of who ran last

 private:
  FakeClock& clock_;
  std::vector<double> times_;
};

class FakeContextControl final : public machine::ContextControl {
 public:
  void enter(const v1::Context& context) override { entered.push_back(context.cpu_load()); }
  v1::Reading leave() override {
    v1::Reading reading;
    reading.set_others_ticks(entered.back() * 50);
    reading.set_total_ticks(100);
    return reading;
  }
  std::vector<double> entered;  // CPU loads
};

// Takes 1 ms for each of its steps, which say how long they took.
class FakeSteps final : public measure::Runnable {
 public:
  FakeSteps(FakeClock& clock, std::vector<double> steps) : clock_(clock), steps_(steps) {}
  void run() override {
    for (double& step : steps_) {
      clock_.wall += step;
      step += 1;  // slower every time
    }
  }
  std::span<const double> step_us() const override { return steps_; }

 private:
  FakeClock& clock_;
  std::vector<double> steps_;
};

inline graph::AtomGraph graph_of(const v1::Manifest& manifest) {
  std::vector<graph::TensorDescription> tensors;
  std::vector<graph::AtomDescription> atoms;
  for (const v1::Tensor& tensor : manifest.tensors()) {
    tensors.push_back({tensor.id(), tensor.bytes()});
  }
  for (const v1::Atom& atom : manifest.atoms()) {
    atoms.push_back({atom.id(),
                     {atom.inputs().begin(), atom.inputs().end()},
                     {atom.outputs().begin(), atom.outputs().end()}});
  }
  return graph::AtomGraph(tensors, atoms, "test");
}

inline v1::Context make_context(unsigned threads, double load) {
  v1::Context context;
  context.set_threads(threads);
  context.set_cpu_load(load);
  return context;
}

}  // namespace adamec::testing
