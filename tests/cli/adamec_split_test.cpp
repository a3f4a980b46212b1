// adamec-split as people run it: stdout, stderr and exit code, on real models and bad files.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <sstream>

#include "adamec/base/file.h"
#include "tests/support/run_command.h"

namespace adamec::testing {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::StartsWith;

const std::string kHealth = source_path("models/health_cnn_lstm.traced.pt");
const std::string kHealthInput = " --input 'float32[1,6,128]'";

std::size_t lines(const std::string& text) {
  return static_cast<std::size_t>(std::count(text.begin(), text.end(), '\n'));
}

// One line on stderr, nothing on stdout, no file left behind.
void expect_refused(const std::string& command, int exit_code, const std::string& message,
                    const TemporaryFolder& folder) {
  const auto before = folder.list();
  const CommandResult result = run_command(command, folder.path());
  EXPECT_EQ(result.exit_code, exit_code) << result.err;
  EXPECT_THAT(result.err, HasSubstr(message));
  EXPECT_THAT(result.err, StartsWith("adamec-split: error: "));
  EXPECT_EQ(lines(result.err), 1u) << result.err;
  EXPECT_THAT(result.out, IsEmpty());
  EXPECT_EQ(folder.list(), before);
}

// A copy of a committed model's TorchScript program with one text of its code and data replaced by
// another of the same length in every file inside.
std::string patched_model(const TemporaryFolder& folder, const std::string& script) {
  const CommandResult result = run_command("python3 -c \"" + script + "\"", folder.path());
  EXPECT_EQ(result.exit_code, 0) << result.err;
  return "patched.pt";
}

TEST(AdamecSplit, WritesAnArchiveThatUnzipReads) {
  const TemporaryFolder folder;
  const CommandResult result =
      run_command("adamec-split " + kHealth + kHealthInput + " -o h.atoms", folder.path());
  EXPECT_EQ(result.exit_code, 0);
  EXPECT_THAT(result.out, IsEmpty());
  EXPECT_THAT(result.err, HasSubstr("health_cnn_lstm: 16 atoms"));
  EXPECT_THAT(result.err, HasSubstr("bit-identical"));
  EXPECT_THAT(folder.list(), ElementsAre("h.atoms"));
  const CommandResult unzip = run_command("unzip -l h.atoms", folder.path());
  EXPECT_EQ(unzip.exit_code, 0);
  EXPECT_LT(unzip.out.find("manifest.pb"), unzip.out.find("atoms/"));
}

TEST(AdamecSplit, SameInputSameBytes) {
  const TemporaryFolder folder;
  const std::string command = "adamec-split -q " + kHealth + kHealthInput;
  EXPECT_EQ(run_command(command + " -o a.atoms", folder.path()).exit_code, 0);
  EXPECT_EQ(run_command(command + " -o - > b.atoms", folder.path()).exit_code, 0);
  EXPECT_EQ(run_command("cat " + kHealth + " | adamec-split -q -" + kHealthInput + " -o c.atoms",
                        folder.path())
                .exit_code,
            0);
  EXPECT_EQ(folder.read("a.atoms"), folder.read("b.atoms"));
  EXPECT_NE(folder.read("c.atoms"), "");  // differs in the model's name only
}

TEST(AdamecSplit, ListsAtomsOfModelsAndArchives) {
  const TemporaryFolder folder;
  const CommandResult model = run_command(
      "adamec-split -q " + kHealth + kHealthInput + " --list -o h.atoms", folder.path());
  EXPECT_EQ(model.exit_code, 0);
  EXPECT_THAT(model.err, IsEmpty());
  EXPECT_THAT(model.out, StartsWith("atom "));
  EXPECT_THAT(model.out, HasSubstr("aten::lstm"));
  const CommandResult archive = run_command("adamec-split h.atoms --list", folder.path());
  EXPECT_EQ(archive.exit_code, 0);
  EXPECT_EQ(archive.out, model.out);
}

TEST(AdamecSplit, PrintsJsonAndDot) {
  const TemporaryFolder folder;
  const CommandResult result = run_command(
      "adamec-split -q " + kHealth + kHealthInput + " --json --dot g.dot", folder.path());
  EXPECT_EQ(result.exit_code, 0);
  const auto json = nlohmann::json::parse(result.out);
  EXPECT_EQ(json.at("atoms").size(), 16u);
  EXPECT_EQ(json.at("model"), "health_cnn_lstm");
  EXPECT_THAT(folder.read("g.dot"), StartsWith("digraph atoms {"));
  EXPECT_THAT(folder.list(), ElementsAre("g.dot"));
}

TEST(AdamecSplit, BlocksAreFewerAndVerified) {
  const TemporaryFolder folder;
  const CommandResult result = run_command(
      "adamec-split " + kHealth + kHealthInput + " --granularity block -o h.atoms --json",
      folder.path());
  EXPECT_EQ(result.exit_code, 0) << result.err;
  EXPECT_THAT(result.err, HasSubstr("2 atoms"));
  EXPECT_THAT(result.err, HasSubstr("bit-identical"));
  const auto json = nlohmann::json::parse(result.out);
  EXPECT_EQ(json.at("granularity"), "block");
  EXPECT_EQ(json.at("operator_atoms"), 16);
  EXPECT_EQ(json.at("atoms")[0].at("members").size(), 15u);
  const CommandResult list = run_command("adamec-split h.atoms --list", folder.path());
  EXPECT_THAT(list.out, HasSubstr("blocks: made of 16 operator atoms"));
  expect_refused("adamec-split " + kHealth + " -o x --granularity layer", 2,
                 "'layer' is not one of operator, block", folder);
}

TEST(AdamecSplit, DiffTellsWhetherArchivesDiffer) {
  const TemporaryFolder folder;
  const std::string split = "adamec-split -q " + kHealth + kHealthInput;
  ASSERT_EQ(run_command(split + " -o a.atoms", folder.path()).exit_code, 0);
  ASSERT_EQ(run_command(split + " -o b.atoms --granularity block", folder.path()).exit_code, 0);
  const CommandResult same = run_command("adamec-split --diff a.atoms a.atoms", folder.path());
  EXPECT_EQ(same.exit_code, 0);
  EXPECT_EQ(same.out + same.err, "");
  const CommandResult other = run_command("adamec-split --diff a.atoms b.atoms", folder.path());
  EXPECT_EQ(other.exit_code, 1);
  EXPECT_THAT(other.err, IsEmpty());
  EXPECT_THAT(other.out, HasSubstr("archive granularity: operator -> block\n"));
  EXPECT_THAT(other.out, HasSubstr("atom features.2.relu: removed"));
  const CommandResult json =
      run_command("adamec-split --diff a.atoms b.atoms --json", folder.path());
  EXPECT_EQ(json.exit_code, 1);
  EXPECT_EQ(nlohmann::json::parse(json.out).at("same"), false);
  // What cannot be compared is told from what differs by the line on stderr.
  expect_refused("adamec-split --diff a.atoms none.atoms", 1, "none.atoms: cannot open", folder);
  expect_refused("adamec-split --diff a.atoms", 2, "--diff", folder);
  expect_refused("adamec-split --diff a.atoms b.atoms --list", 2, "--diff takes", folder);
}

TEST(AdamecSplit, DryRunWritesNothing) {
  const TemporaryFolder folder;
  const CommandResult result = run_command(
      "adamec-split " + kHealth + kHealthInput + " --dry-run -o h.atoms", folder.path());
  EXPECT_EQ(result.exit_code, 0);
  EXPECT_THAT(folder.list(), IsEmpty());
}

TEST(AdamecSplit, KeepsTheBatchSizeOpenWhereTheModelAllows) {
  const TemporaryFolder folder;
  const std::string model = source_path("models/mobilenet_v2_w25.traced.pt");
  const CommandResult open = run_command(
      "adamec-split " + model + " -i 'float32[2,3,64,64]' --dynamic --dry-run", folder.path());
  EXPECT_EQ(open.exit_code, 0) << open.err;
  EXPECT_THAT(open.err, HasSubstr("bit-identical"));
  expect_refused("adamec-split " + kHealth + kHealthInput + " --dynamic=x:7 -o h.atoms", 1,
                 "--dynamic 'x:7': ", folder);
  expect_refused("adamec-split " + kHealth + kHealthInput + " --dynamic=oops -o h.atoms", 2,
                 "expected 'batch', or argument:dimension", folder);
}

TEST(AdamecSplit, WritesADepfile) {
  const TemporaryFolder folder;
  const CommandResult result = run_command(
      "adamec-split -q " + kHealth + kHealthInput + " -o h.atoms -MF h.d", folder.path());
  EXPECT_EQ(result.exit_code, 0);
  EXPECT_EQ(folder.read("h.d"), "h.atoms: " + kHealth + "\n");
}

TEST(AdamecSplit, TakesInputsFromAFile) {
  const TemporaryFolder folder;
  const CommandResult missing =
      run_command("adamec-split " + kHealth + " --inputs-from nothing.pt --dry-run", folder.path());
  EXPECT_EQ(missing.exit_code, 1);
  EXPECT_THAT(missing.err, HasSubstr("nothing.pt: cannot open"));
  folder.write("inputs.pt", "not a tensor");
  const CommandResult broken =
      run_command("adamec-split " + kHealth + " --inputs-from inputs.pt --dry-run", folder.path());
  EXPECT_EQ(broken.exit_code, 1);
  EXPECT_THAT(broken.err, HasSubstr("inputs.pt: not a file of inputs"));
  EXPECT_EQ(lines(broken.err), 1u) << broken.err;
}

TEST(AdamecSplit, HelpAndVersion) {
  const CommandResult help = run_command("adamec-split --help");
  EXPECT_EQ(help.exit_code, 0);
  EXPECT_THAT(help.err, IsEmpty());
  EXPECT_THAT(help.out, HasSubstr("Examples:"));
  const CommandResult version = run_command("adamec-split --version");
  EXPECT_EQ(version.exit_code, 0);
  EXPECT_THAT(version.out, ::testing::MatchesRegex("adamec-split [0-9.]+ \\(LibTorch .*, archive "
                                                   "format 1\\)\n"));
}

// Every option's text in the help stands alone in one short line; details are below.
TEST(AdamecSplit, TheHelpsLinesAreShort) {
  const std::string help = run_command("adamec-split --help").out;
  std::istringstream lines(help.substr(0, help.find("--input takes")));
  std::size_t described = 0;
  for (std::string line; std::getline(lines, line);) {
    if (line.size() < 31 || line[0] != ' ') continue;
    std::istringstream words(line.substr(30));
    std::size_t count = 0;
    for (std::string word; words >> word;) ++count;
    EXPECT_LE(count, 15U) << line;
    ++described;
  }
  EXPECT_GT(described, 15U);
  EXPECT_THAT(help, HasSubstr("70 internal error"));
}

TEST(AdamecSplit, TheHelpsExamplesWork) {
  const CommandResult help = run_command("adamec-split --help");
  const TemporaryFolder folder;
  std::size_t examples = 0;
  std::size_t at = help.out.find("Examples:");
  while ((at = help.out.find("\n  adamec-split ", at)) != std::string::npos) {
    const std::size_t end = help.out.find('\n', at + 1);
    std::string command = help.out.substr(at + 1, end - at - 1);
    const std::string output = folder.path("s.atoms");
    if (const auto o = command.find("s.atoms"); o != std::string::npos) {
      command.replace(o, 7, output);
    }
    EXPECT_EQ(run_command(command, source_path("")).exit_code, 0) << command;
    ++examples;
    at = end;
  }
  EXPECT_EQ(examples, 2u);
}

TEST(AdamecSplit, WrongUsage) {
  const TemporaryFolder folder;
  expect_refused("adamec-split", 2, "model is required", folder);
  expect_refused("adamec-split m.pt", 2, "nothing to do", folder);
  expect_refused("adamec-split m.pt --nonsense", 2, "--nonsense", folder);
  expect_refused("adamec-split m.pt -o x --input 'float99[1]'", 2, "unknown dtype", folder);
  expect_refused("adamec-split m.pt -o x --seed abc", 2, "--seed", folder);
  expect_refused("adamec-split m.pt --list --json", 2, "stdout", folder);
  expect_refused("adamec-split m.pt -o x --input int=1 --inputs-from f", 2, "exclude", folder);
  expect_refused("adamec-split " + kHealth + kHealthInput + " -o x --method nope", 2,
                 "no method 'nope'", folder);
}

TEST(AdamecSplit, FilesThatAreNoModel) {
  const TemporaryFolder folder;
  const std::string split = "adamec-split m.pt -o x.atoms" + kHealthInput;
  expect_refused(split, 1, "m.pt: cannot open", folder);
  folder.write("m.pt", "");
  expect_refused(split, 1, "m.pt: the file is empty", folder);
  folder.write("m.pt", "version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 1\n");
  expect_refused(split, 1, "m.pt: a Git-LFS pointer", folder);
  folder.write("m.pt", std::string("\x80\x02}q\x00.", 6));
  expect_refused(split, 1, "m.pt: a Python pickle", folder);
  folder.write("m.pt", "hello");
  expect_refused(split, 1, "m.pt: not a zip file", folder);
  folder.write("m.pt", read_file(kHealth).substr(0, 100'000));
  expect_refused(split, 1, "m.pt: a damaged or truncated zip", folder);
}

TEST(AdamecSplit, AStateDictIsNamed) {
  const TemporaryFolder folder;
  patched_model(folder,
                "import zipfile\n"
                "z = zipfile.ZipFile('patched.pt', 'w')\n"
                "z.writestr('archive/data.pkl', b'}.')\n"
                "z.writestr('archive/version', b'3')");
  expect_refused("adamec-split patched.pt -o x.atoms" + kHealthInput, 1,
                 "patched.pt: a checkpoint written by torch.save", folder);
}

TEST(AdamecSplit, WrongInputs) {
  const TemporaryFolder folder;
  const std::string split = "adamec-split " + kHealth + " -o x.atoms";
  expect_refused(split, 1, "0 inputs given, but forward takes 1: ", folder);
  expect_refused(split + kHealthInput + kHealthInput, 1, "2 inputs given", folder);
  expect_refused(split + " --input int=5", 1, "is a int, but the model takes a Tensor", folder);
  expect_refused(split + " --input 'float32[1,7,128]'", 1, "health_cnn_lstm.traced.pt: ", folder);
  expect_refused(split + " --input 'int64[1,6,128]'", 1, "health_cnn_lstm.traced.pt: ", folder);
}

TEST(AdamecSplit, NamesTheMissingOperatorLibrary) {
  const TemporaryFolder folder;
  patched_model(
      folder,
      "import zipfile\n"
      "a = zipfile.ZipFile('" +
          kHealth +
          "')\n"
          "z = zipfile.ZipFile('patched.pt', 'w')\n"
          "for n in a.namelist():\n"
          "    z.writestr(n, a.read(n).replace(b'torch.relu(', b'ops.torchvision.nms('))");
  expect_refused("adamec-split patched.pt -o x.atoms" + kHealthInput, 1, "torchvision", folder);
  expect_refused("adamec-split patched.pt -o x.atoms --load-library missing.so" + kHealthInput, 1,
                 "missing.so: cannot load the operator library", folder);
}

// What torch.jit.save writes for a model on a GPU: the location of every weight is 'cuda:0', and
// a trace names the device in its code.
TEST(AdamecSplit, LoadsAModelSavedOnCuda) {
  const TemporaryFolder folder;
  patched_model(
      folder,
      "import zipfile\n"
      "a = zipfile.ZipFile('" +
          kHealth +
          "')\n"
          "z = zipfile.ZipFile('patched.pt', 'w')\n"
          "devices = 0\n"
          "for n in a.namelist():\n"
          "    b = a.read(n)\n"
          "    if n.endswith('.pkl') and b'X\\x03\\x00\\x00\\x00cpu' in b:\n"
          "        b = b.replace(b'X\\x03\\x00\\x00\\x00cpu', b'X\\x06\\x00\\x00\\x00cuda:0')\n"
          "        devices += 1\n"
          "    if n.endswith('.py'):\n"
          "        b = b.replace(b'torch.device(\\x22cpu\\x22)', "
          "b'torch.device(\\x22cuda:0\\x22)')\n"
          "    z.writestr(n, b)\n"
          "assert devices > 0");
  const CommandResult result =
      run_command("adamec-split patched.pt -o x.atoms" + kHealthInput, folder.path());
  EXPECT_EQ(result.exit_code, 0) << result.err;
  EXPECT_THAT(result.err, HasSubstr("16 atoms"));
}

TEST(AdamecSplit, ADamagedArchiveIsRefused) {
  const TemporaryFolder folder;
  EXPECT_EQ(run_command("adamec-split -q " + kHealth + kHealthInput + " -o h.atoms", folder.path())
                .exit_code,
            0);
  const std::string good = folder.read("h.atoms");
  folder.write("h.atoms", good.substr(0, good.size() / 2));
  expect_refused("adamec-split h.atoms --list", 1, "h.atoms: ", folder);
}

TEST(AdamecSplit, LeavesTheOldFileWhenItCannotWrite) {
  const TemporaryFolder folder;
  expect_refused("adamec-split " + kHealth + kHealthInput + " -o no/such/folder/x.atoms", 1,
                 "no/such/folder/x.atoms: cannot write", folder);
  folder.write("x.atoms", "old");
  const CommandResult result = run_command(
      "adamec-split " + kHealth + " --input 'float32[1,7,128]' -o x.atoms", folder.path());
  EXPECT_EQ(result.exit_code, 1);
  EXPECT_EQ(folder.read("x.atoms"), "old");
}

TEST(AdamecSplit, TakesListsAsInputs) {
  const TemporaryFolder folder;
  const std::string split =
      "adamec-split " + source_path("models/detector.scripted.pt") + " --dry-run ";
  const CommandResult two =
      run_command(split + "--input '[float32[3,64,96],float32[3,96,64]]'", folder.path());
  EXPECT_EQ(two.exit_code, 0) << two.err;
  EXPECT_THAT(two.err, HasSubstr("bit-identical"));
  expect_refused(split + "--input '[float32[3,64,96]'", 2, "a bracket is not closed", folder);
  expect_refused(split + "--input '{image:float32[3,64,96]}'", 1, "the model takes a List[Tensor]",
                 folder);
}

// ([one tensor],), as torch.save of PyTorch 1.13 wrote it: LibTorch alone cannot read such lists.
TEST(AdamecSplit, TakesAListOfOneTensorFromAFile) {
  const TemporaryFolder folder;
  const CommandResult result =
      run_command("adamec-split " + source_path("models/detector.scripted.pt") +
                      " --dry-run --inputs-from " + source_path("tests/golden/inputs/one_image.pt"),
                  folder.path());
  EXPECT_EQ(result.exit_code, 0) << result.err;
  EXPECT_THAT(result.err, HasSubstr("bit-identical"));
}

TEST(AdamecSplit, OptionsComeFromFlagThenVariableThenFile) {
  const TemporaryFolder folder;
  folder.write("c.toml", "seed = 1\nmethod = \"nope\"\n");
  const std::string split = "adamec-split " + kHealth + kHealthInput + " --dry-run --config c.toml";
  EXPECT_THAT(run_command(split, folder.path()).err, HasSubstr("no method 'nope'"));
  EXPECT_THAT(run_command("ADAMEC_METHOD=other " + split, folder.path()).err,
              HasSubstr("no method 'other'"));
  EXPECT_EQ(
      run_command("ADAMEC_METHOD=other " + split + " --method forward", folder.path()).exit_code,
      0);
  folder.write("c.toml", "sead = 1\n");
  expect_refused(split, 2, "sead", folder);
}

}  // namespace
}  // namespace adamec::testing
