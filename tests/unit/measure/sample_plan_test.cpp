#include "adamec/measure/sample_plan.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "adamec/base/error.h"
#include "adamec/measure/sample_file.h"
#include "tests/support/run_command.h"
#include "tests/unit/measure/fakes.h"

namespace adamec::measure {
namespace {

using testing::make_context;

std::string error_of(const std::function<void()>& work) {
  try {
    work();
  } catch (const Error& error) {
    return error.what();
  }
  return "";
}

void add_tensor(v1::Manifest& manifest, const std::string& id, std::uint64_t bytes,
                v1::TensorRole role) {
  v1::Tensor& tensor = *manifest.add_tensors();
  tensor.set_id(id);
  tensor.set_bytes(bytes);
  tensor.set_role(role);
}

// A model of atoms "a0", "a1", ... with the given operators.
v1::Manifest make_manifest(const std::string& name, const std::vector<std::string>& operators) {
  v1::Manifest manifest;
  manifest.set_model_name(name);
  add_tensor(manifest, "x", 100, v1::INPUT);
  add_tensor(manifest, "w:shared", 30, v1::WEIGHT);
  for (std::size_t i = 0; i < operators.size(); ++i) {
    v1::Atom& atom = *manifest.add_atoms();
    atom.set_id("a" + std::to_string(i));
    atom.set_kind(v1::OPERATOR);
    atom.add_inputs("x");
    atom.add_inputs("w:shared");
    atom.add_outputs(atom.id() + ":0");
    atom.set_weight_bytes(7);
    atom.set_macs(11);
    atom.set_peak_activation_bytes(13);
    atom.set_record_bytes(1000);
    atom.add_operators()->set_name(operators[i]);
    add_tensor(manifest, atom.id() + ":0", 50, v1::INTERMEDIATE);
  }
  return manifest;
}

std::vector<std::string> atoms_of(const std::vector<PlanItem>& plan) {
  std::vector<std::string> ids;
  for (const PlanItem& item : plan) {
    ids.push_back(std::to_string(item.archive) + "/" + item.atom->id());
  }
  return ids;
}

TEST(MakePlan, TakesEveryConfigurationOnce) {
  const v1::Manifest first = make_manifest("zebra", {"conv", "relu", "conv"});
  const v1::Manifest second = make_manifest("ant", {"relu", "pool", "relu"});
  const v1::Manifest* manifests[] = {&first, &second};
  const auto plan = make_plan(manifests, {});
  EXPECT_EQ(atoms_of(plan), (std::vector<std::string>{"0/a0", "0/a1", "1/a1"}));
  EXPECT_EQ(plan[0].models, std::vector<std::string>{"zebra"});
  EXPECT_EQ(plan[1].models, (std::vector<std::string>{"ant", "zebra"}));
  EXPECT_EQ(plan[1].working_bytes, 2 * 1000 + 13 + 100 + 30U);
}

TEST(MakePlan, SelectsByPatternBeforeChoosingRepresentatives) {
  const v1::Manifest first = make_manifest("m", {"conv", "relu", "conv"});
  const v1::Manifest* manifests[] = {&first};
  EXPECT_EQ(atoms_of(make_plan(manifests, {"a2", 1, 1})), std::vector<std::string>{"0/a2"});
  EXPECT_EQ(atoms_of(make_plan(manifests, {"m/a[12]", 1, 1})),
            (std::vector<std::string>{"0/a1", "0/a2"}));
  EXPECT_TRUE(make_plan(manifests, {"b*", 1, 1}).empty());
}

TEST(MakePlan, ShardsAreDisjointAndComplete) {
  const v1::Manifest manifest = make_manifest("m", {"a", "b", "c", "d", "e"});
  const v1::Manifest* manifests[] = {&manifest};
  EXPECT_EQ(atoms_of(make_plan(manifests, {"", 1, 2})),
            (std::vector<std::string>{"0/a0", "0/a2", "0/a4"}));
  EXPECT_EQ(atoms_of(make_plan(manifests, {"", 2, 2})), (std::vector<std::string>{"0/a1", "0/a3"}));
  EXPECT_TRUE(make_plan(manifests, {"", 7, 7}).empty());
}

TEST(MakeContexts, CombinesThreadsAndLoads) {
  const unsigned threads[] = {1, 2, 1};
  const double loads[] = {0, 0.5};
  const auto contexts = make_contexts(threads, loads, "0-1");
  ASSERT_EQ(contexts.size(), 4U);
  EXPECT_EQ(contexts[1].threads(), 1U);
  EXPECT_EQ(contexts[1].cpu_load(), 0.5);
  EXPECT_EQ(contexts[2].threads(), 2U);
  EXPECT_EQ(contexts[3].affinity(), "0-1");
}

TEST(OpenContexts, ContendedBringsUncontendedAlong) {
  const std::vector<v1::Context> contexts{make_context(1, 0), make_context(1, 0.5),
                                          make_context(2, 0), make_context(2, 0.5)};
  using Indices = std::vector<std::size_t>;
  EXPECT_EQ(open_contexts("s", contexts, {}), (Indices{0, 1, 2, 3}));
  std::set<std::string> done;
  done.insert(measurement_key("s", contexts[0]));
  done.insert(measurement_key("s", contexts[2]));
  done.insert(measurement_key("s", contexts[3]));
  EXPECT_EQ(open_contexts("s", contexts, done), (Indices{0, 1}));
  done.insert(measurement_key("s", contexts[1]));
  EXPECT_TRUE(open_contexts("s", contexts, done).empty());
  EXPECT_EQ(open_contexts("other", contexts, done).size(), 4U);
}

TEST(DescribeSample, CountsSharedWeightsAsWeights) {
  const v1::Manifest manifest = make_manifest("m", {"conv"});
  const v1::Manifest* manifests[] = {&manifest};
  const auto plan = make_plan(manifests, {});
  const v1::Sample sample = describe_sample(plan[0], manifest);
  EXPECT_EQ(sample.bytes_in(), 100U);
  EXPECT_EQ(sample.bytes_out(), 50U);
  EXPECT_EQ(sample.weight_bytes(), 37U);
  EXPECT_EQ(sample.macs(), 11U);
  EXPECT_EQ(sample.peak_activation_bytes(), 13U);
  EXPECT_EQ(sample.sample_atom(), "m/a0");
  EXPECT_EQ(sample.operators(0).name(), "conv");
  EXPECT_EQ(sample.signature(), plan[0].signature);
  EXPECT_EQ(sample.models(0), "m");
}

v1::Sample make_sample(double min_us, double even, double odd, double load = 0) {
  v1::Sample sample;
  sample.set_host_id("h");
  sample.mutable_context()->set_cpu_load(load);
  v1::Latency& latency = *sample.mutable_latency();
  latency.set_min_us(min_us);
  latency.set_p50_us(min_us);
  latency.set_p95_us(min_us);
  latency.set_even_min_us(even);
  latency.set_odd_min_us(odd);
  latency.set_visits(4);
  return sample;
}

TEST(Repeatability, ComparesEvenAndOddVisitsOfUncontendedSamples) {
  const std::vector<v1::Sample> samples{make_sample(100, 100, 104), make_sample(100, 109, 100),
                                        make_sample(100, 100, 130), make_sample(100, 100, 100),
                                        make_sample(100, 100, 200, 0.5)};
  const Repeatability result = repeatability(samples);
  EXPECT_EQ(result.samples, 4U);
  EXPECT_DOUBLE_EQ(result.within_5, 0.5);
  EXPECT_DOUBLE_EQ(result.within_10, 0.75);
  EXPECT_EQ(repeatability({}).samples, 0U);
}

class SampleFile : public ::testing::Test {
 protected:
  std::string error(const v1::SampleSet& set) {
    const std::string path = folder_.write("h.samples", set.SerializeAsString());
    const std::string text = error_of([&] { read_samples(path); });
    return text.empty() ? text : text.substr(path.size() + 2);
  }
  adamec::testing::TemporaryFolder folder_;
};

TEST_F(SampleFile, ChecksWhatItReads) {
  v1::SampleSet set;
  EXPECT_EQ(error(set), "");
  set.add_hosts()->set_id("h");
  *set.add_samples() = make_sample(1, 1, 1);
  EXPECT_EQ(error(set), "");
  set.mutable_samples(0)->set_host_id("k");
  EXPECT_EQ(error(set), "samples[0].host_id: 'k' is no host of this file");
  for (double bad : {0.0, -1.0, std::nan(""), std::numeric_limits<double>::infinity()}) {
    *set.mutable_samples(0) = make_sample(1, 1, 1);
    set.mutable_samples(0)->mutable_latency()->set_p50_us(bad);
    EXPECT_EQ(error(set),
              fmt::format("samples[0].latency: {} us, expected a positive number", bad));
  }
  const std::string path = folder_.write("bad.samples", "PK\x03\x04 no protobuf");
  EXPECT_EQ(error_of([&] { read_samples(path); }), path + ": not a sample file");
}

TEST_F(SampleFile, KnowsOtherHosts) {
  v1::Host here;
  here.set_id("here");
  here.set_cpu_model("6502");
  v1::SampleSet set;
  EXPECT_NO_THROW(check_same_host(set, here, "f"));
  *set.add_hosts() = here;
  EXPECT_NO_THROW(check_same_host(set, here, "f"));
  set.add_hosts()->set_id("there");
  const std::string error = error_of([&] { check_same_host(set, here, "f"); });
  EXPECT_NE(error.find("f: measured on another host, "), std::string::npos) << error;
  EXPECT_NE(error.find("(id there); this one is 6502"), std::string::npos) << error;
}

}  // namespace
}  // namespace adamec::measure
