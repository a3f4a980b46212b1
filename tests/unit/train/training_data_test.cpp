#include "adamec/train/training_data.h"

#include <gtest/gtest.h>

#include <cmath>
#include <functional>
#include <limits>

#include "adamec/base/error.h"
#include "adamec/predict/signature.h"
#include "tests/support/run_command.h"
#include "tests/unit/predict/synthetic_samples.h"

namespace adamec::testing {
namespace {

using train::read_samples;
using train::training_data;
using train::TrainingData;

// What read_samples says of a set; the folder is cut off the message.
std::string error_of(const std::string& bytes) {
  const TemporaryFolder folder;
  const std::string path = folder.write("a.samples", bytes);
  try {
    static_cast<void>(read_samples({path}));
  } catch (const Error& error) {
    return std::string(error.what()).substr(path.size() - 9);
  }
  return "";
}

std::string error_after(const std::function<void(v1::Sample&)>& change) {
  v1::SampleSet set = synthetic_samples({.configurations = 3});
  change(*set.mutable_samples(2));
  return error_of(set.SerializeAsString());
}

TEST(ReadSamples, JoinsFilesAsConcatenationDoes) {
  const TemporaryFolder folder;
  const std::string a = synthetic_samples({.configurations = 5, .seed = 1}).SerializeAsString();
  const std::string b = synthetic_samples({.configurations = 4, .seed = 2}).SerializeAsString();
  const auto apart = read_samples({folder.write("a", a), folder.write("b", b)});
  const auto joined = read_samples({folder.write("ab", a + b)});
  EXPECT_EQ(apart.samples.samples_size(), 9);
  EXPECT_EQ(apart.samples.SerializeAsString(), joined.samples.SerializeAsString());
  EXPECT_EQ(apart.sha256, joined.sha256);
}

TEST(ReadSamples, RefusesWhatIsNoSampleSet) {
  const std::string bytes = synthetic_samples({.configurations = 3}).SerializeAsString();
  EXPECT_EQ(error_of(bytes.substr(0, bytes.size() - 5)),
            "a.samples: not a sample set, or truncated");
  EXPECT_EQ(error_of("version https://git-lfs.github.com/spec/v1\n"),
            "a.samples: not a sample set, or truncated");
}

TEST(ReadSamples, NamesFileSampleAndFieldOfImpossibleNumbers) {
  const double nan = std::nan("");
  EXPECT_EQ(error_after([&](v1::Sample& s) { s.mutable_latency()->set_min_us(nan); }),
            "a.samples: samples[2].latency.min_us: nan, expected a positive number");
  EXPECT_EQ(error_after([](v1::Sample& s) { s.mutable_latency()->set_p50_us(0); }),
            "a.samples: samples[2].latency.p50_us: 0, expected a positive number");
  EXPECT_EQ(error_after([](v1::Sample& s) { s.mutable_latency()->set_p95_us(-3); }),
            "a.samples: samples[2].latency.p95_us: -3, expected a positive number");
  EXPECT_EQ(error_after([](v1::Sample& s) {
              s.mutable_latency()->set_min_us(std::numeric_limits<double>::infinity());
            }),
            "a.samples: samples[2].latency.min_us: inf, expected a positive number");
  EXPECT_EQ(error_after([&](v1::Sample& s) { s.mutable_latency()->set_odd_min_us(nan); }),
            "a.samples: samples[2].latency.odd_min_us: nan, expected a number >= 0");
  EXPECT_EQ(error_after([](v1::Sample& s) { s.mutable_latency()->set_odd_mean_us(-1); }),
            "a.samples: samples[2].latency.odd_mean_us: -1, expected a number >= 0");
  EXPECT_EQ(error_after([&](v1::Sample& s) { s.mutable_latency()->set_steady_us(nan); }),
            "a.samples: samples[2].latency.steady_us: nan, expected a number >= 0");
  EXPECT_EQ(
      error_after([](v1::Sample& s) { s.mutable_latency()->set_core_speed(-1); }),
      "a.samples: samples[2].latency.core_speed: -1, expected 1 to 1000000 steps per us, or 0");
  EXPECT_EQ(
      error_after([&](v1::Sample& s) { s.mutable_latency()->set_core_speed(nan); }),
      "a.samples: samples[2].latency.core_speed: nan, expected 1 to 1000000 steps per us, or 0");
  EXPECT_EQ(error_after([](v1::Sample& s) { s.mutable_context()->set_threads(0); }),
            "a.samples: samples[2].context.threads: 0, expected 1 to 4096");
  EXPECT_EQ(error_after([](v1::Sample& s) { s.mutable_context()->set_cpu_load(1.5); }),
            "a.samples: samples[2].context.cpu_load: 1.5, expected 0 to 1");
  EXPECT_EQ(error_after([](v1::Sample& s) { s.set_host_id("x"); }),
            "a.samples: samples[2].host_id: 'x' is not among the hosts of the samples");
  EXPECT_EQ(error_after([](v1::Sample& s) { s.clear_signature(); }),
            "a.samples: samples[2].signature: is empty");
  EXPECT_EQ(error_after([](v1::Sample& s) {
              s.mutable_operators(0)->mutable_results(0)->set_shape(0, -1);
            }),
            "a.samples: samples[2].operators: negative size -1 in a shape");
  EXPECT_EQ(error_after([](v1::Sample& s) {
              s.mutable_operators(0)->mutable_results(0)->Clear();
              s.mutable_operators(0)->mutable_results(0)->add_strides(1);
            }),
            "a.samples: samples[2].operators: 1 strides for 0 dimensions");
  EXPECT_EQ(error_after([](v1::Sample& s) {
              s.mutable_operators(0)->mutable_results(0)->set_subnormal_permille(1001);
            }),
            "a.samples: samples[2].operators: 1001 of 1000 elements subnormal");
}

std::string error_of_data(const v1::SampleSet& set, const std::string& host = "") {
  try {
    static_cast<void>(training_data(set, host, "s"));
  } catch (const Error& error) {
    return error.what();
  }
  return "";
}

TEST(TrainingData, KeepsHostsApart) {
  v1::SampleSet set = synthetic_samples({.configurations = 3, .host_id = "aaaa"});
  set.MergeFrom(synthetic_samples({.configurations = 4, .seed = 2, .host_id = "bbbb"}));
  EXPECT_EQ(error_of_data(set),
            "s: samples of 2 hosts: aaaa (Synthetic CPU), bbbb (Synthetic CPU); choose one with "
            "--host");
  EXPECT_EQ(error_of_data(set, "cccc"),
            "s: no host 'cccc' among aaaa (Synthetic CPU), bbbb (Synthetic CPU)");
  EXPECT_EQ(training_data(set, "aaaa", "s").measurements.size(), 3u);
  EXPECT_EQ(training_data(set, "bbbb", "s").host.id(), "bbbb");
}

TEST(TrainingData, NeedsSomethingMeasuredWithoutLoad) {
  EXPECT_EQ(error_of_data({}), "s: no samples");
  EXPECT_EQ(error_of_data(synthetic_samples({.configurations = 3, .loads = {0.5}})),
            "s: no atom of host 00112233aabbccdd was measured without load");
}

// Slower runs were disturbed; those near the fastest differ by chance.
TEST(TrainingData, TakesTheMeanOfRepeatedMeasurementsNearTheFastest) {
  v1::SampleSet set = synthetic_samples({.configurations = 1});
  const double us = set.samples(0).latency().min_us();
  for (const double factor : {1.5, 0.94, 2.0}) {
    v1::Sample& sample = *set.add_samples();
    sample = set.samples(0);
    sample.mutable_latency()->set_min_us(us * factor);
    sample.set_models(0, "other");
  }
  const TrainingData data = training_data(set, "", "s");
  ASSERT_EQ(data.measurements.size(), 1u);
  EXPECT_DOUBLE_EQ(data.measurements[0].us, us * 0.97);
  EXPECT_EQ(data.measurements[0].models, (std::set<std::string>{"net0", "other"}));
}

// The same runs at three frequencies: one configuration, one time.
TEST(TrainingData, TakesTimesOverToTheHostsCoreSpeed) {
  v1::SampleSet set = synthetic_samples({.configurations = 1});
  for (const double speed : {1000, 800, 900}) {
    v1::Sample& sample = *set.add_samples();
    sample = set.samples(0);
    v1::Latency& latency = *sample.mutable_latency();
    latency.set_core_speed(speed);
    latency.set_steady_us(18e3 / speed);
    latency.set_even_steady_us(18e3 / speed);
    latency.set_odd_steady_us(18e3 / speed);
  }
  set.mutable_samples()->DeleteSubrange(0, 1);
  v1::Sample& loaded = *set.add_samples();
  loaded = set.samples(1);
  loaded.mutable_context()->set_cpu_load(0.5);
  loaded.mutable_latency()->set_core_speed(600);
  loaded.mutable_latency()->set_mean_us(60);  // 40 at the host's speed
  const TrainingData data = training_data(set, "", "s");
  EXPECT_EQ(data.core_speed, 900);
  ASSERT_EQ(data.measurements.size(), 1u);
  EXPECT_DOUBLE_EQ(data.measurements[0].us, 20);
  EXPECT_DOUBLE_EQ(data.measurements[0].even_us, 20);
  ASSERT_EQ(data.slowdowns.size(), 1u);
  EXPECT_DOUBLE_EQ(data.slowdowns[0].ratio, 2);
}

TEST(TrainingData, LeavesOutBlocksAndMemoryLimits) {
  v1::SampleSet set = synthetic_samples({.configurations = 3});
  set.mutable_samples(0)->set_subject(v1::BLOCK);
  set.mutable_samples(1)->mutable_context()->set_memory_limit(1000);
  EXPECT_EQ(training_data(set, "", "s").measurements.size(), 1u);
}

TEST(TrainingData, TakesBlocksWhosePartsAreDescribed) {
  v1::SampleSet set =
      synthetic_samples({.configurations = 24, .threads = {1, 2}, .loads = {0, 0.5}});
  add_synthetic_blocks(set, 1, 0.1);
  const TrainingData data = training_data(set, "", "s");
  EXPECT_GT(data.composites.size(), 16u);
  EXPECT_EQ(data.incomplete, 0u);
  std::size_t loaded = 0;
  for (const train::Composite& block : data.composites) loaded += block.cpu_load > 0;
  EXPECT_EQ(2 * loaded, data.composites.size());
  set.clear_configurations();
  const TrainingData without = training_data(set, "", "s");
  EXPECT_TRUE(without.composites.empty());
  EXPECT_EQ(without.incomplete, data.composites.size());
}

TEST(TrainingData, LeavesOutQuotasFrequenciesAndDevices) {
  v1::SampleSet set = synthetic_samples({.configurations = 4});
  set.mutable_samples(0)->mutable_context()->set_cpu_quota(0.5);
  set.mutable_samples(1)->mutable_context()->set_frequency(0.5);
  set.mutable_samples(2)->mutable_context()->set_device("cuda:0");
  const TrainingData data = training_data(set, "", "s");
  EXPECT_EQ(data.measurements.size(), 1u);
  EXPECT_EQ(data.other_contexts, 3u);
}

TEST(TrainingData, TakesTheCpuTimeOfOneThreadThatWasPreempted) {
  v1::SampleSet set = synthetic_samples({.configurations = 2, .threads = {1, 2}});
  for (v1::Sample& sample : *set.mutable_samples()) {
    sample.mutable_latency()->set_min_us(100);
    sample.mutable_latency()->set_cpu_us(60);
  }
  set.mutable_samples(2)->mutable_latency()->set_cpu_us(130);
  const TrainingData data = training_data(set, "", "s");
  EXPECT_EQ(data.preempted, 1u);
  std::multiset<double> labels;
  for (const auto& measurement : data.measurements) labels.insert(measurement.us);
  EXPECT_EQ(labels, (std::multiset<double>{60, 100, 100, 100}));
}

v1::Sample& add(v1::SampleSet& set, double load, const std::string& round, double p50) {
  v1::Sample& sample = *set.add_samples();
  sample = set.samples(0);
  sample.mutable_context()->set_cpu_load(load);
  sample.set_round(round);
  sample.mutable_latency()->set_min_us(10);
  sample.mutable_latency()->set_p50_us(p50);
  return sample;
}

TEST(TrainingData, PairsLoadedSamplesWithinTheirRound) {
  v1::SampleSet set = synthetic_samples({.configurations = 1});
  set.mutable_samples(0)->set_round("first");
  set.mutable_samples(0)->mutable_latency()->set_p50_us(25);
  set.mutable_samples(0)->mutable_latency()->set_min_us(20);
  add(set, 0, "second", 50).mutable_latency()->set_min_us(40);  // the machine was slower then
  add(set, 0.5, "first", 30);                                   // ratio 1.5
  add(set, 0.5, "second", 64);                                  // ratio 1.6
  add(set, 0.5, "second", 180);                                 // ratio 4.5: an outlier
  add(set, 0.5, "third", 1000);                                 // nothing to compare with
  const TrainingData data = training_data(set, "", "s");
  ASSERT_EQ(data.slowdowns.size(), 1u);
  EXPECT_DOUBLE_EQ(data.slowdowns[0].ratio, 1.6);
  EXPECT_EQ(data.slowdowns[0].cpu_load, 0.5);
  EXPECT_EQ(data.slowdowns[0].unloaded_us, 20);
  EXPECT_EQ(data.unpaired, 1u);
}

TEST(TrainingData, PairsMemoryLimitsWithinTheirRound) {
  v1::SampleSet set = synthetic_samples({.configurations = 1});
  set.mutable_samples(0)->set_round("first");
  set.mutable_samples(0)->mutable_latency()->set_p50_us(20);
  v1::Sample& limited = add(set, 0, "first", 80);
  limited.mutable_context()->set_memory_limit(1000);
  limited.set_weight_bytes(600);
  limited.set_peak_activation_bytes(500);
  limited.set_bytes_in(100);
  const TrainingData data = training_data(set, "", "s");
  ASSERT_EQ(data.pressures.size(), 1u);
  EXPECT_EQ(data.pressures[0].needed_bytes, 1200);
  EXPECT_EQ(data.pressures[0].limit_bytes, 1000);
  EXPECT_EQ(data.pressures[0].ratio, 4);
  EXPECT_EQ(data.measurements.size(), 1u);
  EXPECT_TRUE(data.slowdowns.empty());
}

TEST(TrainingData, DoesNotDependOnTheOrderOfSamples) {
  const v1::SampleSet set =
      synthetic_samples({.configurations = 30, .threads = {1, 2}, .loads = {0, 0.5}});
  v1::SampleSet reversed;
  *reversed.mutable_hosts() = set.hosts();
  for (int i = set.samples_size(); i > 0; --i) *reversed.add_samples() = set.samples(i - 1);
  const TrainingData a = training_data(set, "", "s");
  const TrainingData b = training_data(reversed, "", "s");
  ASSERT_EQ(a.measurements.size(), b.measurements.size());
  for (std::size_t i = 0; i < a.measurements.size(); ++i) {
    EXPECT_EQ(a.measurements[i].sample->signature(), b.measurements[i].sample->signature());
    EXPECT_EQ(a.measurements[i].us, b.measurements[i].us);
  }
  ASSERT_EQ(a.slowdowns.size(), b.slowdowns.size());
  for (std::size_t i = 0; i < a.slowdowns.size(); ++i) {
    EXPECT_EQ(a.slowdowns[i].sample->signature(), b.slowdowns[i].sample->signature());
    EXPECT_EQ(a.slowdowns[i].cpu_load, b.slowdowns[i].cpu_load);
  }
}

}  // namespace
}  // namespace adamec::testing
