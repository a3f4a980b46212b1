// Times what DESIGN promises of the predictor's speed, on a machine that does not exist: prints one
// JSON object. Run by measure_predictor.py.
#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <ctime>
#include <functional>
#include <iostream>
#include <limits>
#include <set>
#include <string>
#include <vector>

#include "adamec/predict/predictor.h"
#include "adamec/train/fit.h"
#include "adamec/train/trainer.h"
#include "adamec/train/training_data.h"
#include "tests/unit/predict/synthetic_samples.h"

namespace {

using namespace adamec;

constexpr int kRepetitions = 5;
// Predictions take milliseconds: on shared machines one moment may be a bad one.
constexpr int kPredictions = 50;

double wall_s() {
  const auto now = std::chrono::steady_clock::now().time_since_epoch();
  return std::chrono::duration<double>(now).count();
}

// What one thread takes on a machine that does nothing else: others' time slices do not count.
double cpu_s() { return static_cast<double>(std::clock()) / CLOCKS_PER_SEC; }

// The least of some repetitions.
double seconds(double (*clock)(), int repetitions, const std::function<void()>& work) {
  double least = std::numeric_limits<double>::infinity();
  for (int i = 0; i < repetitions; ++i) {
    const double start = clock();
    work();
    least = std::min(least, clock() - start);
  }
  return least;
}

std::vector<v1::Atom> atoms_of(const v1::SampleSet& samples, std::size_t count) {
  std::vector<v1::Atom> atoms;
  std::set<std::string> seen;
  for (const v1::Sample& sample : samples.samples()) {
    if (atoms.size() == count || !seen.insert(sample.signature()).second) continue;
    v1::Atom& atom = atoms.emplace_back();
    *atom.mutable_operators() = sample.operators();
    atom.set_kind(sample.kind());
  }
  return atoms;
}

}  // namespace

int main() {
  // 5,000 samples: two numbers of threads, two loads.
  const testing::SyntheticOptions options{
      .configurations = 1250, .threads = {1, 2}, .loads = {0, 0.5}, .noise = 0.02};
  const v1::SampleSet samples = testing::synthetic_samples(options);
  const train::TrainingData data = train::training_data(samples, "", "synthetic");
  const double fit = seconds(cpu_s, kRepetitions, [&] { train::fit_predictor(data, 1); });
  const double train = seconds(wall_s, kRepetitions, [&] { train::train(data, {1, 2, ""}); });
  const predict::Predictor predictor(train::train(data, {1, 2, ""}).predictor, "synthetic");

  // Configurations that were not measured: the slowest way through the predictor.
  const auto atoms =
      atoms_of(testing::synthetic_samples({.configurations = 4000, .seed = 77}), 1000);
  double sum = 0;
  const double one = seconds(cpu_s, kPredictions, [&] {
    for (const v1::Atom& atom : atoms) sum += predictor.predict(atom, {1, 0}).p50_ms;
  });
  std::vector<predict::RunContext> contexts;
  for (int i = 0; i < 100; ++i) {
    contexts.push_back({1U + static_cast<unsigned>(i % 2), static_cast<double>(i) / 100});
  }
  const double many = seconds(cpu_s, kPredictions, [&] {
    for (const v1::Atom& atom : atoms) {
      for (const auto& prediction : predictor.predict(atom, contexts)) sum += prediction.p50_ms;
    }
  });
  std::cout << fmt::format(
      "{{\"samples\": {}, \"train_s\": {:.3f}, \"train_and_validate_s\": {:.3f}, \"atoms\": {}, "
      "\"one_atom_us\": {:.3f}, \"many_s\": {:.4f}, \"sum\": {}}}\n",
      samples.samples_size(), fit, train, atoms.size(),
      one * 1e6 / static_cast<double>(atoms.size()), many, sum);
  return 0;
}
