#include "adamec/train/sample_pairs.h"

#include <algorithm>
#include <map>
#include <string>
#include <tuple>
#include <utility>

#include "adamec/proto/latency.h"
#include "adamec/train/statistics.h"

namespace adamec::train {
namespace {

using Key = std::pair<std::string, unsigned>;  // signature and threads

Key key_of(const v1::Sample& sample) { return {sample.signature(), sample.context().threads()}; }

bool is_unloaded(const v1::Context& context) {
  return context.cpu_load() == 0 && context.memory_limit() == 0;
}

// The CPU time of a run where one thread was kept from the CPU even in its fastest run (the machine
// was busy with something else, and the run longer than a time slice); otherwise 0.
double preempted_us(const v1::Sample& sample) {
  const v1::Latency& latency = sample.latency();
  const bool preempted = sample.context().threads() == 1 && latency.cpu_us() > 0 &&
                         latency.cpu_us() < latency.min_us();
  return preempted ? latency.cpu_us() : 0;
}

// What several runs of the tool found: the mean of those near the fastest, as slower ones were
// disturbed throughout. (The fastest itself would be less the more often something is measured.)
double mean_near_fastest(const std::vector<double>& runs_us) {
  constexpr double kNear = 1.1;
  const double most = kNear * *std::min_element(runs_us.begin(), runs_us.end());
  double sum = 0;
  int count = 0;
  for (const double us : runs_us) {
    if (us > most) continue;
    sum += us;
    ++count;
  }
  return sum / count;
}

// Samples without load and limit, by configuration.
std::map<Key, Measurement> measurements_of(const SampleList& samples, double core_speed,
                                           std::size_t& preempted) {
  struct RunLabels {
    std::vector<double> us, even_us, odd_us;
  };
  std::map<Key, Measurement> result;
  std::map<Key, RunLabels> times;
  for (const v1::Sample* sample : samples) {
    if (!is_unloaded(sample->context())) continue;
    const double cpu_us = preempted_us(*sample);
    preempted += cpu_us > 0;
    RunLabels& of_key = times[key_of(*sample)];
    of_key.us.push_back(cpu_us > 0 ? at_core_speed(cpu_us, *sample, core_speed)
                                   : undisturbed_us(*sample, core_speed));
    const auto [even_us, odd_us] = halves(*sample, core_speed);
    if (even_us > 0 && odd_us > 0) {
      of_key.even_us.push_back(even_us);
      of_key.odd_us.push_back(odd_us);
    }
    Measurement& measurement = result[key_of(*sample)];
    if (measurement.sample == nullptr) measurement.sample = sample;
    measurement.threads = sample->context().threads();
    measurement.models.insert(sample->models().begin(), sample->models().end());
  }
  for (auto& [key, measurement] : result) {
    const RunLabels& of_key = times.at(key);
    measurement.us = mean_near_fastest(of_key.us);
    if (of_key.even_us.empty()) continue;
    measurement.even_us = mean_near_fastest(of_key.even_us);
    measurement.odd_us = mean_near_fastest(of_key.odd_us);
  }
  return result;
}

// A configuration in a context that is not unloaded: the median, over rounds, of the ratio to the
// same configuration unloaded in the same round. Under load that is the mean to the undisturbed
// time, which stands for no load at all; with a memory limit the median to the median.
struct Ratio {
  const v1::Sample* sample = nullptr;
  const Measurement* partner = nullptr;
  double ratio = 1;
};

std::vector<Ratio> ratios_of(const SampleList& samples,
                             const std::map<Key, Measurement>& measurements, double core_speed,
                             std::size_t& unpaired) {
  std::map<std::pair<Key, std::string>, const v1::Sample*> unloaded_samples;  // with the round
  for (const v1::Sample* sample : samples) {
    if (!is_unloaded(sample->context())) continue;
    unloaded_samples[{key_of(*sample), sample->round()}] = sample;
  }
  struct RatioGroup {
    const v1::Sample* sample = nullptr;
    std::vector<double> ratios;
  };
  std::map<std::tuple<Key, double, std::uint64_t>, RatioGroup> groups;  // with load and limit
  for (const v1::Sample* sample : samples) {
    const v1::Context& context = sample->context();
    if (is_unloaded(context)) continue;
    const auto partner = unloaded_samples.find({key_of(*sample), sample->round()});
    if (partner == unloaded_samples.end()) {
      ++unpaired;
      continue;
    }
    RatioGroup& group = groups[{key_of(*sample), context.cpu_load(), context.memory_limit()}];
    if (group.sample == nullptr) group.sample = sample;
    const v1::Sample& unloaded = *partner->second;
    group.ratios.push_back(typical_us(*sample, core_speed) /
                           (context.cpu_load() > 0 ? undisturbed_us(unloaded, core_speed)
                                                   : typical_us(unloaded, core_speed)));
  }
  std::vector<Ratio> result;
  for (const auto& [key, group] : groups) {
    result.push_back({group.sample, &measurements.at(std::get<0>(key)), median(group.ratios)});
  }
  return result;
}

void add_pressure(const Ratio& ratio, TrainingData& data) {
  const v1::Sample& sample = *ratio.sample;
  if (sample.context().cpu_load() > 0) return;  // both at once: nothing to tell them apart by
  const double activations =
      static_cast<double>(sample.peak_activation_bytes()) + static_cast<double>(sample.bytes_in());
  data.pressures.push_back({static_cast<double>(sample.weight_bytes()) + activations,
                            static_cast<double>(sample.context().memory_limit()), ratio.ratio});
}

}  // namespace

void add_atoms(const SampleList& samples, TrainingData& data) {
  const std::map<Key, Measurement> measurements =
      measurements_of(samples, data.core_speed, data.preempted);
  for (const auto& [key, measurement] : measurements) data.measurements.push_back(measurement);
  for (const Ratio& ratio : ratios_of(samples, measurements, data.core_speed, data.unpaired)) {
    const v1::Context& context = ratio.sample->context();
    if (context.memory_limit() > 0) {
      add_pressure(ratio, data);
    } else {
      data.slowdowns.push_back(
          {ratio.sample, context.threads(), context.cpu_load(), ratio.ratio, ratio.partner->us});
    }
  }
}

void add_composites(const SampleList& samples, TrainingData& data) {
  const std::map<Key, Measurement> measurements =
      measurements_of(samples, data.core_speed, data.preempted);
  for (const auto& [key, m] : measurements) {
    data.composites.push_back({m.sample, m.threads, 0, m.us, m.even_us, m.odd_us, m.models});
  }
  for (const Ratio& ratio : ratios_of(samples, measurements, data.core_speed, data.unpaired)) {
    const v1::Sample& sample = *ratio.sample;
    if (sample.context().memory_limit() > 0) {
      add_pressure(ratio, data);
      continue;
    }
    const auto [even_us, odd_us] = halves(sample);
    data.composites.push_back({&sample, sample.context().threads(), sample.context().cpu_load(),
                               ratio.partner->us * ratio.ratio, even_us, odd_us,
                               ratio.partner->models});
  }
}

}  // namespace adamec::train
