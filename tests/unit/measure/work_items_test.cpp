#include "adamec/measure/work_items.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "adamec/base/error.h"
#include "adamec/measure/contexts.h"
#include "adamec/measure/sample_file.h"
#include "adamec/measure/synthesis/composite.h"
#include "tests/support/run_command.h"
#include "tests/unit/measure/fakes.h"

namespace adamec::measure {
namespace {

using testing::graph_of;
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

std::vector<std::string> models_of(const WorkItem& item) {
  return {item.sample.models().begin(), item.sample.models().end()};
}

std::vector<std::string> atoms_of(const std::vector<WorkItem>& plan) {
  std::vector<std::string> ids;
  for (const WorkItem& item : plan) {
    ids.push_back(std::to_string(item.archive) + "/" + item.name);
  }
  return ids;
}

TEST(MakePlan, TakesEveryConfigurationOnce) {
  const v1::Manifest first = make_manifest("zebra", {"conv", "relu", "conv"});
  const v1::Manifest second = make_manifest("ant", {"relu", "pool", "relu"});
  const graph::AtomGraph graphs[] = {graph_of(first), graph_of(second)};
  const WorkSource sources[] = {{&first, &graphs[0]}, {&second, &graphs[1]}};
  const auto plan = make_work_items(sources, {});
  EXPECT_EQ(atoms_of(plan), (std::vector<std::string>{"0/a0", "0/a1", "1/a1"}));
  EXPECT_EQ(models_of(plan[0]), std::vector<std::string>{"zebra"});
  EXPECT_EQ(models_of(plan[1]), (std::vector<std::string>{"ant", "zebra"}));
  EXPECT_EQ(plan[1].working_bytes, 2 * (7 + 30) + 13 + 100U);
}

TEST(MakePlan, SelectsByPatternBeforeChoosingRepresentatives) {
  const v1::Manifest first = make_manifest("m", {"conv", "relu", "conv"});
  const graph::AtomGraph graph = graph_of(first);
  const WorkSource sources[] = {{&first, &graph}};
  EXPECT_EQ(atoms_of(make_work_items(sources, {"a2", 1, 1, 0, false, 0})),
            std::vector<std::string>{"0/a2"});
  EXPECT_EQ(atoms_of(make_work_items(sources, {"m/a[12]", 1, 1, 0, false, 0})),
            (std::vector<std::string>{"0/a1", "0/a2"}));
  EXPECT_TRUE(make_work_items(sources, {"b*", 1, 1, 0, false, 0}).empty());
}

TEST(MakePlan, ShardsAreDisjointAndComplete) {
  const v1::Manifest manifest = make_manifest("m", {"a", "b", "c", "d", "e"});
  const graph::AtomGraph graph = graph_of(manifest);
  const WorkSource sources[] = {{&manifest, &graph}};
  EXPECT_EQ(atoms_of(make_work_items(sources, {"", 1, 2, 0, false, 0})),
            (std::vector<std::string>{"0/a0", "0/a2", "0/a4"}));
  EXPECT_EQ(atoms_of(make_work_items(sources, {"", 2, 2, 0, false, 0})),
            (std::vector<std::string>{"0/a1", "0/a3"}));
  EXPECT_TRUE(make_work_items(sources, {"", 7, 7, 0, false, 0}).empty());
}

// A diamond with a tail: a -> b, a -> c, (b, c) -> d -> e.
v1::Manifest make_diamond(const std::string& name) {
  v1::Manifest manifest;
  manifest.set_model_name(name);
  add_tensor(manifest, "x", 100, v1::INPUT);
  add_tensor(manifest, "w:shared", 30, v1::WEIGHT);
  const auto add = [&](const std::string& id, const std::vector<std::string>& inputs) {
    v1::Atom& atom = *manifest.add_atoms();
    atom.set_id(id);
    atom.set_kind(v1::OPERATOR);
    for (const std::string& input : inputs) atom.add_inputs(input);
    atom.add_outputs(id + ":0");
    atom.set_weight_bytes(7);
    atom.set_macs(11);
    atom.set_peak_activation_bytes(13 + manifest.atoms_size());
    atom.add_operators()->set_name("op-" + id);
    add_tensor(manifest, id + ":0", 50, v1::INTERMEDIATE);
  };
  add("a", {"x", "w:shared"});
  add("b", {"a:0", "w:shared"});
  add("c", {"a:0"});
  add("d", {"b:0", "c:0", "b:0"});
  add("e", {"d:0"});
  return manifest;
}

TEST(MakePlan, AddsModelsAndBlocks) {
  const v1::Manifest manifest = make_diamond("m");
  const graph::AtomGraph graph = graph_of(manifest);
  const WorkSource sources[] = {{&manifest, &graph}, {&manifest, &graph}};
  const auto plan = make_work_items(sources, {"", 1, 1, 50, true, 7});
  ASSERT_GT(plan.size(), 9U);
  EXPECT_EQ(plan[5].name, "model:combined");
  EXPECT_EQ(plan[5].sample.subject(), v1::MODEL);
  EXPECT_EQ(plan[6].name, "model:atoms");
  EXPECT_EQ(plan[6].sample.subject(), v1::SEQUENCE);
  EXPECT_EQ(plan[6].sample.sample_atom(), "m/model:atoms");
  std::set<std::string> signatures;
  for (const WorkItem& item : plan) {
    EXPECT_TRUE(signatures.insert(item.signature()).second) << item.name;
    if (item.sample.subject() != v1::BLOCK) continue;
    EXPECT_GE(item.atoms.size(), 2U);
    EXPECT_LT(item.atoms.size(), 5U);
    EXPECT_TRUE(graph.is_convex(item.atoms)) << item.name;
  }
  const auto parts = part_configurations(sources, plan);
  ASSERT_EQ(parts.size(), 5U);
  EXPECT_EQ(parts[0].signature(), plan[0].signature());
  EXPECT_EQ(parts[0].operators(0).name(), "op-a");
  EXPECT_EQ(parts[0].macs(), 11U);
  EXPECT_TRUE(part_configurations(sources, std::span(plan).first(5)).empty());
}

TEST(RandomBlock, FollowsFromSeedAndIndex) {
  const v1::Manifest manifest = make_diamond("m");
  const graph::AtomGraph graph = graph_of(manifest);
  std::set<std::vector<int>> blocks;
  for (unsigned i = 0; i < 40; ++i) {
    EXPECT_EQ(random_block(graph, "m", 3, i), random_block(graph, "m", 3, i));
    blocks.insert(random_block(graph, "m", 3, i));
  }
  EXPECT_GT(blocks.size(), 4U);
  EXPECT_TRUE(random_block(graph_of(make_manifest("n", {"a", "b"})), "n", 0, 0).empty());
  EXPECT_TRUE(random_block(graph_of(make_manifest("n", {"a", "b", "c"})), "n", 0, 0).empty());
}

TEST(DescribeComposite, TellsWhatIsInsideAndWhatCrosses) {
  const v1::Manifest manifest = make_diamond("m");
  const graph::AtomGraph graph = graph_of(manifest);
  const std::vector<std::string> signatures{"A", "B", "C", "D", "E"};
  const v1::Sample sample = describe_composite(v1::BLOCK, manifest, graph, {0, 1, 2}, signatures);
  EXPECT_EQ(std::vector<std::string>(sample.parts().begin(), sample.parts().end()),
            (std::vector<std::string>{"A", "B", "C"}));
  ASSERT_EQ(sample.edges_size(), 2);
  EXPECT_EQ(sample.edges(1).producer(), 0U);
  EXPECT_EQ(sample.edges(1).consumer(), 2U);
  EXPECT_EQ(sample.edges(1).bytes(), 50U);
  EXPECT_EQ(sample.tensors_in(), 1U);
  EXPECT_EQ(sample.tensors_out(), 2U);
  EXPECT_EQ(sample.bytes_in(), 100U);
  EXPECT_EQ(sample.bytes_out(), 100U);
  EXPECT_EQ(sample.weight_bytes(), 3 * 7 + 30U);  // the shared weight once
  EXPECT_EQ(sample.macs(), 33U);
  EXPECT_EQ(sample.peak_activation_bytes(), 16U);
  EXPECT_EQ(sample.signature().substr(0, 12), "BLOCK of 3: ");
  const v1::Sample model =
      describe_composite(v1::MODEL, manifest, graph, {0, 1, 2, 3, 4}, signatures);
  EXPECT_EQ(model.edges_size(), 5);  // d takes b's tensor twice: one edge
  EXPECT_EQ(model.tensors_out(), 1U);
  EXPECT_NE(model.signature(), describe_composite(v1::MODEL, manifest, graph, {0, 1, 2, 3, 4},
                                                  {"A", "B", "C", "E", "D"})
                                   .signature());
}

TEST(AddContexts, CombinesAllValuesOnce) {
  ContextLists lists;
  lists.threads = {1, 2, 1};
  lists.cpu_loads = {0, 0.5};
  lists.affinity = "0-1";
  const FieldName name = [](const std::string& field) { return "<" + field + ">"; };
  std::vector<v1::Context> contexts;
  add_contexts(lists, name, contexts);
  ASSERT_EQ(contexts.size(), 4U);
  EXPECT_EQ(contexts[1].threads(), 1U);
  EXPECT_EQ(contexts[1].cpu_load(), 0.5);
  EXPECT_EQ(contexts[2].threads(), 2U);
  EXPECT_EQ(contexts[3].affinity(), "0-1");
  ContextLists limited;
  limited.affinity = "0-1";
  limited.memory_limits = {0, 64 << 20};
  limited.cpu_quotas = {0.5, 1};
  add_contexts(limited, name, contexts);
  ASSERT_EQ(contexts.size(), 4U + 3U);  // a quota of 1 is none
  EXPECT_EQ(context_text(contexts[5]), "1 thread, 64.0 MiB, quota 0.5");
  EXPECT_EQ(measurement_key("s", uncontended(contexts[5])), measurement_key("s", contexts[0]));

  limited.memory_limits = {1000};
  EXPECT_EQ(error_of([&] { add_contexts(limited, name, contexts); }),
            "<memory_limit>: 1000 B is less than 1.0 MiB");
  limited.memory_limits = {0};
  limited.frequencies = {1.5};
  EXPECT_EQ(error_of([&] { add_contexts(limited, name, contexts); }),
            "<frequency>: 1.5 is not between 0 and 1");
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
  const graph::AtomGraph graph = graph_of(manifest);
  const WorkSource sources[] = {{&manifest, &graph}};
  const auto plan = make_work_items(sources, {});
  const v1::Sample& sample = plan[0].sample;
  EXPECT_EQ(sample.bytes_in(), 100U);
  EXPECT_EQ(sample.bytes_out(), 50U);
  EXPECT_EQ(sample.weight_bytes(), 37U);
  EXPECT_EQ(sample.macs(), 11U);
  EXPECT_EQ(sample.peak_activation_bytes(), 13U);
  EXPECT_EQ(sample.sample_atom(), "m/a0");
  EXPECT_EQ(sample.operators(0).name(), "conv");
  EXPECT_EQ(sample.signature(), plan[0].signature());
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
    const std::string text = error_of([&] { (void)read_samples(path); });
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
  EXPECT_EQ(error(set), "samples[0].host_id: 'k' is not a host of this file");
  for (double bad : {0.0, -1.0, std::nan(""), std::numeric_limits<double>::infinity()}) {
    *set.mutable_samples(0) = make_sample(1, 1, 1);
    set.mutable_samples(0)->mutable_latency()->set_p50_us(bad);
    EXPECT_EQ(error(set),
              fmt::format("samples[0].latency: {} us, expected a positive number", bad));
  }
  const std::string path = folder_.write("bad.samples", "PK\x03\x04 no protobuf");
  EXPECT_EQ(error_of([&] { (void)read_samples(path); }), path + ": not a sample file, or cut off");
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
  EXPECT_NE(error.find("f: measured on a different host, "), std::string::npos) << error;
  EXPECT_NE(error.find("(id there); this one is 6502"), std::string::npos) << error;
}

}  // namespace
}  // namespace adamec::measure
