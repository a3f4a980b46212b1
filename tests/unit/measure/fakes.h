#pragma once

#include <algorithm>
#include <cstdint>
#include <string>
#include <vector>

#include "adamec/base/error.h"
#include "adamec/measure/clock.h"
#include "adamec/measure/runnable.h"
#include "adamec/measure/stage.h"

namespace adamec::testing {

class FakeClock final : public measure::Clock {
 public:
  double wall_us() const override { return wall; }
  double cpu_us() const override { return cpu; }
  double wall = 0;
  double cpu = 0;
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

class FakeStage final : public measure::Stage {
 public:
  void enter(const v1::Context& context) override { entered.push_back(context.cpu_load()); }
  measure::LoadReading leave() override { return {entered.back() * 50, 100}; }
  std::vector<double> entered;  // CPU loads
};

inline v1::Context make_context(unsigned threads, double load) {
  v1::Context context;
  context.set_threads(threads);
  context.set_cpu_load(load);
  return context;
}

}  // namespace adamec::testing
