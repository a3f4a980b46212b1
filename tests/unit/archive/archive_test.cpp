#include "adamec/archive/archive.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <unistd.h>

#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <ctime>

#include "adamec/base/error.h"
#include "adamec/base/sha256.h"
#include "tests/support/run_command.h"
#include "tests/unit/archive/example_archive.h"

namespace adamec::testing {
namespace {

using ::testing::HasSubstr;

std::string write_example(const TemporaryFolder& folder, const std::string& name,
                          const ExampleArchive& example) {
  const std::string path = folder.path(name);
  OutputFile file(path);
  archive::write_archive(file, example.manifest, example.records);
  file.commit();
  return path;
}

TEST(Archive, ReadsBackWhatWasWritten) {
  const TemporaryFolder folder;
  const ExampleArchive example = example_archive();
  const auto reader = archive::Reader::open(write_example(folder, "a.atoms", example));
  EXPECT_EQ(reader.manifest().SerializeAsString(), example.manifest.SerializeAsString());
  EXPECT_EQ(reader.name(), folder.path("a.atoms"));
  EXPECT_EQ(reader.read_atom(reader.manifest().atoms(0)), example.records[0].bytes);
  EXPECT_EQ(reader.read_atom(reader.manifest().atoms(1)), example.records[1].bytes);
  EXPECT_EQ(reader.read_weight(reader.manifest().tensors(1)), example.records[2].bytes);
  EXPECT_EQ(reader.graph().atoms().size(), 2u);
  EXPECT_EQ(reader.graph().tensors()[1].producer, -1);
  EXPECT_EQ(reader.graph().tensors()[1].consumers, (std::vector<int>{0, 1}));
  EXPECT_EQ(folder.list(), std::vector<std::string>{"a.atoms"});
}

TEST(Archive, IsTheSameBytesTwiceAndInAnotherTimeZone) {
  const TemporaryFolder folder;
  const ExampleArchive example = example_archive();
  write_example(folder, "a.atoms", example);
  ::setenv("TZ", "Pacific/Kiritimati", 1);
  ::tzset();
  write_example(folder, "b.atoms", example);
  ::unsetenv("TZ");
  ::tzset();
  EXPECT_EQ(sha256_hex(folder.read("a.atoms")), sha256_hex(folder.read("b.atoms")));
}

TEST(Archive, IsAPlainZipWithTheManifestFirst) {
  const TemporaryFolder folder;
  write_example(folder, "a.atoms", example_archive());
  if (run_command("command -v unzip").exit_code != 0) GTEST_SKIP() << "skipped: unzip is missing";
  const CommandResult names = run_command("unzip -Z1 a.atoms", folder.path());
  EXPECT_EQ(names.exit_code, 0) << names.err;
  EXPECT_EQ(names.out, "manifest.pb\natoms/conv.conv2d.pt\natoms/relu.pt\nweights/shared.pt\n");
  EXPECT_EQ(run_command("unzip -l a.atoms", folder.path()).exit_code, 0);
  EXPECT_EQ(run_command("unzip -tq a.atoms", folder.path()).exit_code, 0);
  const std::string methods = run_command("unzip -v a.atoms", folder.path()).out;
  EXPECT_THAT(methods, HasSubstr("Stored"));
  EXPECT_THAT(methods, ::testing::Not(HasSubstr("Defl")));
  EXPECT_EQ(run_command("unzip -p a.atoms atoms/relu.pt", folder.path()).out, "relu");
}

TEST(Archive, ReadsStandardInput) {
  const TemporaryFolder folder;
  const ExampleArchive example = example_archive();
  const int file = ::open(write_example(folder, "a.atoms", example).c_str(), O_RDONLY);
  const int saved = ::dup(STDIN_FILENO);
  ::dup2(file, STDIN_FILENO);
  const auto reader = archive::Reader::open("-");
  ::dup2(saved, STDIN_FILENO);
  ::close(saved);
  ::close(file);
  EXPECT_EQ(reader.name(), "<stdin>");
  EXPECT_EQ(reader.read_atom(reader.manifest().atoms(1)), "relu");
}

TEST(Archive, AddsLessThanAKilobyteToTheRecords) {
  const TemporaryFolder folder;
  const ExampleArchive example = example_archive();
  write_example(folder, "a.atoms", example);
  const std::size_t needed = 5000 + 4 + 3 + example.manifest.ByteSizeLong();
  EXPECT_LT(folder.read("a.atoms").size(), needed + 4 * 200);
}

TEST(Archive, RefusesToWriteWhatItWouldNotRead) {
  const TemporaryFolder folder;
  ExampleArchive example = example_archive();
  example.records.pop_back();
  OutputFile file(folder.path("a.atoms"));
  try {
    archive::write_archive(file, example.manifest, example.records);
    FAIL() << "a missing record was not noticed";
  } catch (const Error& error) {
    EXPECT_EQ(error.what(), folder.path("a.atoms") + ": record 'weights/shared.pt' is missing");
  }
}

// For a child process: as if the disk were full, no file may grow beyond 1000 bytes.
[[noreturn]] void write_to_a_full_disk(const std::string& path, const ExampleArchive& example) {
  const rlimit limit{1000, 1000};
  ::setrlimit(RLIMIT_FSIZE, &limit);
  std::signal(SIGXFSZ, SIG_IGN);
  try {
    OutputFile file(path);
    archive::write_archive(file, example.manifest, example.records);
  } catch (const Error& error) {
    std::fputs(error.what(), stderr);
    std::_Exit(1);
  }
  std::_Exit(0);
}

TEST(Archive, NamesTheTargetWhenTheDiskIsFull) {
  const TemporaryFolder folder;
  EXPECT_EXIT(write_to_a_full_disk(folder.path("full.atoms"), example_archive()),
              ::testing::ExitedWithCode(1), "full.atoms: cannot write: .*File too large");
}

TEST(Archive, NoticesAChangedRecord) {
  const TemporaryFolder folder;
  ExampleArchive example = example_archive();
  example.records[1].bytes = "rElu";  // the checksum of the zip is right, the SHA-256 is not
  const auto reader = archive::Reader::open(folder.write("a.atoms", make_zip(entries_of(example))));
  EXPECT_EQ(reader.read_atom(reader.manifest().atoms(0)).size(), 5000u);
  try {
    (void)reader.read_atom(reader.manifest().atoms(1));
    FAIL() << "a changed record was not noticed";
  } catch (const Error& error) {
    EXPECT_THAT(error.what(), HasSubstr("record 'atoms/relu.pt': its SHA-256 is "));
  }
}

TEST(Archive, NoticesADamagedRecord) {
  const TemporaryFolder folder;
  std::string bytes = make_zip(entries_of(example_archive()));
  bytes[bytes.find("cccc") + 100] = 'C';
  const auto reader = archive::Reader::open(folder.write("a.atoms", bytes));
  try {
    (void)reader.read_atom(reader.manifest().atoms(0));
    FAIL() << "a damaged record was not noticed";
  } catch (const Error& error) {
    EXPECT_THAT(error.what(), HasSubstr("entry 'atoms/conv.conv2d.pt': CRC error"));
  }
}

}  // namespace
}  // namespace adamec::testing
