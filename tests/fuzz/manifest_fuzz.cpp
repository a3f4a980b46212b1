// A manifest and all that is made of it without LibTorch: tables, JSON, graphs, blocks,
// differences.
#include <nlohmann/json.hpp>

#include "adamec/archive/archive.h"
#include "adamec/archive/manifest.h"
#include "adamec/base/file.h"
#include "tests/fuzz/fuzz.h"
#include "tests/support/run_command.h"
#include "tests/unit/archive/example_archive.h"
#include "tools/adamec-split/diff.h"
#include "tools/adamec-split/inspect.h"

namespace adamec::fuzz {
namespace {

// Every kind of value, atom and tensor that a manifest may hold.
v1::Manifest rich_manifest() {
  v1::Manifest manifest = testing::example_archive().manifest;
  v1::Value::Items& items = *manifest.mutable_output()->mutable_tuple();
  items.add_items()->set_int_value(-5);
  items.add_items()->set_float_value(0.5);
  items.add_items()->set_bool_value(true);
  items.add_items()->set_string_value("text");
  items.add_items()->set_none(true);
  items.add_items()->mutable_list()->add_items()->set_tensor("relu:0");
  v1::Value::Items& dict = *items.add_items()->mutable_dict();
  dict.add_keys("key");
  dict.add_items()->set_tensor("conv.conv2d:0");
  v1::Input& rate = *manifest.add_inputs();
  rate.set_name("rate");
  rate.mutable_value()->set_int_value(16000);
  manifest.mutable_reduction()->set_operator_atoms(3);
  manifest.mutable_reduction()->add_assumptions("one");
  v1::Atom& relu = *manifest.mutable_atoms(1);
  relu.set_kind(v1::STATEFUL);
  relu.set_nondeterministic(true);
  relu.add_members("a");
  relu.add_members("b");
  return manifest;
}

}  // namespace

std::vector<std::string> seeds() {
  const auto golden = archive::Reader::open(testing::source_path("tests/golden/v1/health.atoms"));
  return {testing::example_archive().manifest.SerializeAsString(),
          rich_manifest().SerializeAsString(), golden.manifest().SerializeAsString()};
}

}  // namespace adamec::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace adamec;
  static const v1::Manifest example = testing::example_archive().manifest;
  fuzz::expect_refused_or_read([&] {
    const v1::Manifest manifest =
        archive::parse_manifest(std::string(reinterpret_cast<const char*>(data), size), "fuzz");
    const tools::ManifestView view(manifest, "fuzz");
    fuzz::expect(!tools::list_atoms(view).empty(), "a table");
    fuzz::expect(tools::atom_graph_dot(view).ends_with("}\n"), "a graph");
    fuzz::expect(nlohmann::json::accept(tools::manifest_json(view)), "JSON");
    fuzz::expect(tools::differences(manifest, manifest).empty(), "equal to itself");
    const auto found = tools::differences(example, manifest);
    fuzz::expect(found.empty() == (example.SerializeAsString() == manifest.SerializeAsString()),
                 "every difference is seen");
    fuzz::expect(nlohmann::json::accept(tools::differences_json(found)), "JSON");
    fuzz::expect(tools::differences_text(found).empty() == found.empty(), "text");
  });
  return 0;
}
