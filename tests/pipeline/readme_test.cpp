#include <gtest/gtest.h>

#include <array>
#include <filesystem>
#include <set>
#include <sstream>
#include <string>
#include <vector>

#include "adamec/base/file.h"
#include "tests/support/run_command.h"

// What the documents tell people to type works: the commands of README.md and docs/ run one after
// the other as if pasted into one shell, in a copy of the tree, and the files they show are read.
namespace adamec::testing {
namespace {

// Lines that are not run, by what they begin with.
struct Excluded {
  std::string start;
  std::string reason;
};
const std::array<Excluded, 2> kExcluded = {{
    {"scripts/test", "builds everything and would run this test again"},
    {"CMAKE_PREFIX_PATH=", "needs a LibTorch elsewhere, and is scripts/test again"},
}};

// What stands between ``` and ```.
struct Block {
  std::string language;
  std::string text;
  std::string where;  // "README.md:42"
};

std::vector<Block> blocks_of(const std::string& document) {
  std::vector<Block> blocks;
  std::istringstream lines(read_file(source_path(document)));
  bool inside = false;
  int number = 0;
  for (std::string line; std::getline(lines, line);) {
    ++number;
    if (line.starts_with("```")) {
      inside = !inside;
      if (inside) blocks.push_back({line.substr(3), "", document + ":" + std::to_string(number)});
    } else if (inside) {
      blocks.back().text += line + "\n";
    }
  }
  return blocks;
}

class Documents : public ::testing::Test {
 protected:
  void SetUp() override {
    // Scripts find the tree by where they lie, so they are copied; models may be links.
    const CommandResult made = run_command(
        "cp -R " + source_path("scripts") + " . && ln -s " + source_path("models") +
            " models && mkdir build && ln -s \"$(dirname \"$(command -v adamec-plan)\")\" "
            "build/bin && pwd >folder && : >environment",
        folder_.path());
    ASSERT_EQ(made.exit_code, 0) << made.err;
  }

  // In the folder and with the variables that the commands before have left.
  void run(const std::string& commands, const std::string& where) {
    const std::string tree = folder_.path();
    const std::string script =
        folder_.write("commands", "set -euo pipefail\n. " + tree + "/environment\ncd \"$(cat " +
                                      tree + "/folder)\"\n" + commands + "\npwd >" + tree +
                                      "/folder\nexport -p >" + tree + "/environment\n");
    const CommandResult result =
        run_command("ADAMEC_BIN=" + tree + "/build/bin bash " + script, tree);
    EXPECT_EQ(result.exit_code, 0) << where << ":\n"
                                   << commands << "\n"
                                   << result.out << result.err;
  }

  void run_commands(const std::string& document) {
    for (const Block& block : blocks_of(document)) {
      if (block.language == "sh") run(without_excluded(block.text), block.where);
    }
  }

  // Runs a command on an example that is written to a file.
  void read_example(const Block& block, const std::string& text, const std::string& command) {
    folder_.write("example", text);
    run("cp " + folder_.path("example") + " example\n" + command, block.where);
  }

  std::string without_excluded(const std::string& commands) {
    std::string kept;
    std::istringstream lines(commands);
    for (std::string line; std::getline(lines, line);) {
      bool out = false;
      for (const Excluded& excluded : kExcluded) {
        if (!line.starts_with(excluded.start)) continue;
        out = true;
        left_out_.insert(excluded.start);
      }
      if (!out) kept += line + "\n";
    }
    return kept;
  }

  TemporaryFolder folder_;
  std::set<std::string> left_out_;
};

TEST_F(Documents, CommandsRunAndExamplesAreRead) {
  run_commands("README.md");
  ASSERT_FALSE(HasFailure()) << "the rest needs what README.md makes";
  EXPECT_EQ(left_out_.size(), kExcluded.size()) << "README.md has not all that is excluded";

  for (const char* document : {"docs/context-file.md", "docs/formats.md", "docs/measuring.md"}) {
    run_commands(document);
  }
  const std::vector<Block> contexts = blocks_of("docs/context-file.md");
  std::string first;
  int examples = 0;
  for (const Block& block : contexts) {
    if (block.language != "yaml") continue;
    ++examples;
    if (first.empty()) first = block.text;
    const bool whole = block.text.starts_with("tiers:");
    const bool atlas = block.text.starts_with("atlas:");
    read_example(block, whole ? block.text : first + block.text,
                 std::string("adamec-plan encoder.atoms --context example -o example.plan") +
                     (atlas ? " --atlas" : ""));
  }
  EXPECT_GE(examples, 5);
  for (const Block& block : blocks_of("docs/formats.md")) {
    if (block.language != "json") continue;
    read_example(block, block.text, "adamec-plan --costs example -o example.plan");
  }
  for (const Block& block : blocks_of("docs/measuring.md")) {
    if (block.language != "yaml") continue;
    read_example(block, block.text, "adamec-profile encoder.atoms --contexts example --list");
  }
}

// The context that README.md shows is the one that its commands copy.
TEST_F(Documents, ReadmeShowsTheContextOfTheDemo) {
  const std::string context = read_file(source_path("scripts/demo-context.yaml"));
  std::string shown;
  for (const Block& block : blocks_of("README.md")) {
    if (block.text.starts_with("tiers:")) shown = block.text;
  }
  EXPECT_EQ(context.substr(context.find("tiers:")), shown);
}

// Files that documents link to exist.
TEST_F(Documents, LinksLeadSomewhere) {
  for (const std::string document :
       {"README.md", "CONTRIBUTING.md", "docs/planning.md", "docs/context-file.md",
        "docs/formats.md", "docs/measuring.md", "docs/specialisation.md"}) {
    const std::string text = read_file(source_path(document));
    const std::filesystem::path folder = std::filesystem::path(document).parent_path();
    for (std::size_t at = text.find("]("); at != std::string::npos; at = text.find("](", at + 1)) {
      const std::string link = text.substr(at + 2, text.find_first_of(")#", at) - at - 2);
      if (link.empty() || link.starts_with("http")) continue;
      EXPECT_TRUE(std::filesystem::exists(source_path((folder / link).string())))
          << document << ": " << link;
    }
  }
}

}  // namespace
}  // namespace adamec::testing
