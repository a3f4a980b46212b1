// Archives that are not what they should be, given to the commands that read them: one line on
// stderr, exit code 1, nothing on stdout, no file left behind.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "adamec/base/sha256.h"
#include "tests/support/run_command.h"
#include "tests/unit/archive/example_archive.h"

namespace adamec::testing {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::StartsWith;

using Entries = std::vector<std::pair<std::string, std::string>>;

struct Hostile {
  std::string name;
  std::string bytes;
  std::string message;
};

std::string replaced(std::string bytes, const std::string& from, const std::string& to) {
  for (auto at = bytes.find(from); at != std::string::npos; at = bytes.find(from, at + to.size())) {
    bytes.replace(at, from.size(), to);
  }
  return bytes;
}

std::string with_entry(const std::string& name) {
  Entries entries = entries_of(example_archive());
  entries.emplace_back(name, "x");
  return make_zip(entries);
}

std::string with_manifest(const std::string& bytes) {
  Entries entries = entries_of(example_archive());
  entries.front().second = bytes;
  return make_zip(entries);
}

template <typename Change>
std::string with_changed_manifest(Change change) {
  ExampleArchive example = example_archive();
  change(example.manifest);
  return make_zip(entries_of(example));
}

std::vector<Hostile> hostile_archives() {
  const std::string good = make_zip(entries_of(example_archive()));
  Entries twice = entries_of(example_archive());
  twice.emplace_back("atoms/relv.pt", "relu");
  std::vector<Hostile> all = {
      {"absolute path", with_entry("/etc/cron.d/x"), "unsafe entry name '/etc/cron.d/x'"},
      {"path out of the folder", with_entry("atoms/../../x.pt"), "unsafe entry name"},
      {"line break in a name", with_entry("atoms/a\nb.pt"), "unsafe entry name 'atoms/a\\nb.pt'"},
      {"two entries of one name", replaced(make_zip(twice), "atoms/relv.pt", "atoms/relu.pt"),
       "two entries have the same name"},
      {"more than the manifest names", with_entry("atoms/more.pt"), "is not in the manifest"},
      {"compressed", make_zip(entries_of(example_archive()), true), "is compressed"},
      {"truncated", good.substr(0, good.size() * 2 / 3), "damaged or truncated zip file"},
      {"only its start", good.substr(0, 60), "damaged or truncated zip file"},
      {"huge declared sizes",
       replaced(good, std::string("\x88\x13\0\0\x88\x13\0\0", 8),
                "\xf0\xff\xff\xff\xf0\xff\xff\xff"),
       "damaged or truncated zip file"},
      {"no manifest", make_zip({{"manifest.pb", ""}}), "has no format_version"},
      {"manifest of another kind", with_manifest("\xff\xff\xff"), "its manifest is damaged"},
      {"newer format", with_changed_manifest([](v1::Manifest& m) { m.set_format_version(99); }),
       "archive format 99"},
      {"record out of the folder", with_changed_manifest([](v1::Manifest& m) {
         m.mutable_atoms(0)->set_id("../x");
         m.mutable_atoms(0)->set_record("atoms/../x.pt");
       }),
       "bad atom id '../x'"},
      {"shape of too many elements", with_changed_manifest([](v1::Manifest& m) {
         for (int i = 0; i < 4; ++i) m.mutable_tensors(0)->mutable_type()->add_shape(1 << 30);
       }),
       "too many elements"},
      {"tensor larger than it says",
       with_changed_manifest([](v1::Manifest& m) { m.mutable_tensors(0)->set_bytes(1ULL << 62); }),
       "its type and shape need"},
      {"cycle",
       with_changed_manifest([](v1::Manifest& m) { m.mutable_atoms(0)->set_inputs(0, "relu:0"); }),
       "the atoms form a cycle"},
  };
  return all;
}

void expect_refused(const std::string& tool, const std::string& arguments, const Hostile& hostile,
                    const TemporaryFolder& folder) {
  const auto before = folder.list();
  const CommandResult result = run_command(tool + " " + arguments, folder.path());
  SCOPED_TRACE(tool + ": " + hostile.name + ": " + result.err);
  EXPECT_EQ(result.exit_code, 1);
  EXPECT_THAT(result.err, StartsWith(tool + ": error: a.atoms: "));
  EXPECT_THAT(result.err, HasSubstr(hostile.message));
  EXPECT_EQ(std::count(result.err.begin(), result.err.end(), '\n'), 1);
  EXPECT_THAT(result.out, IsEmpty());
  EXPECT_EQ(folder.list(), before);
}

class HostileArchive : public ::testing::Test {
 protected:
  HostileArchive() {
    folder_.write("context.yaml",
                  "tiers:\n  - {name: device, predictor: none.predictor}\n"
                  "  - {name: edge, predictor: none.predictor}\nlinks: []\n"
                  "input: device\noutput: device\n");
  }
  TemporaryFolder folder_;
};

TEST_F(HostileArchive, IsRefusedByAdamecSplit) {
  for (const Hostile& hostile : hostile_archives()) {
    folder_.write("a.atoms", hostile.bytes);
    folder_.write("good.atoms", make_zip(entries_of(example_archive())));
    if (hostile.bytes.size() > 41) {
      expect_refused("adamec-split", "a.atoms --list", hostile, folder_);
    }
    if (hostile.name == "truncated" || hostile.name == "cycle") {
      expect_refused("adamec-split", "--diff good.atoms a.atoms", hostile, folder_);
      expect_refused("adamec-split", "a.atoms --json --dot x.dot", hostile, folder_);
    }
  }
}

TEST_F(HostileArchive, IsRefusedByAdamecPlan) {
  for (const Hostile& hostile : hostile_archives()) {
    folder_.write("a.atoms", hostile.bytes);
    expect_refused("adamec-plan", "a.atoms --context context.yaml -o plan.yaml", hostile, folder_);
  }
}

TEST_F(HostileArchive, IsRefusedByAdamecProfile) {
  for (const Hostile& hostile : hostile_archives()) {
    folder_.write("a.atoms", hostile.bytes);
    expect_refused("adamec-profile", "a.atoms -o h.samples --budget 1s", hostile, folder_);
  }
}

// Records are read only where atoms run: by adamec-profile.
// Atoms that cannot be measured are reported one by one, and the others go on; here there are none.
void expect_nothing_measured(const TemporaryFolder& folder, const std::string& reason) {
  const auto before = folder.list();
  const CommandResult result =
      run_command("adamec-profile a.atoms -o h.samples --budget 1s", folder.path());
  EXPECT_EQ(result.exit_code, 1) << result.err;
  EXPECT_THAT(result.err, HasSubstr("warning: a.atoms: " + reason));
  EXPECT_THAT(result.err, HasSubstr("to reproduce: adamec-profile a.atoms --only conv.conv2d"));
  EXPECT_THAT(result.err,
              HasSubstr("adamec-profile: error: none of the 4 configurations could be measured"));
  EXPECT_EQ(folder.list(), before);
}

TEST_F(HostileArchive, AWrongHashIsRefusedBeforeTheAtomRuns) {
  folder_.write("a.atoms", with_changed_manifest([](v1::Manifest& m) {
                  for (v1::Atom& atom : *m.mutable_atoms()) atom.set_sha256(sha256_hex("other"));
                }));
  expect_nothing_measured(folder_, "record 'atoms/conv.conv2d.pt': its SHA-256 is");
}

TEST_F(HostileArchive, ARecordThatIsNoTorchScriptIsRefused) {
  folder_.write("a.atoms", make_zip(entries_of(example_archive())));
  expect_nothing_measured(folder_, "conv.conv2d: ");
}

}  // namespace
}  // namespace adamec::testing
