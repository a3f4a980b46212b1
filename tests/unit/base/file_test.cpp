#include "adamec/base/file.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include "adamec/base/error.h"
#include "adamec/base/sha256.h"
#include "tests/support/run_command.h"

namespace adamec {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using testing::TemporaryFolder;

TEST(File, ReadsWhatWasWritten) {
  const TemporaryFolder folder;
  const std::string bytes("a\0b\n", 4);
  write_file(folder.path("f"), bytes);
  EXPECT_EQ(read_file(folder.path("f")), bytes);
  EXPECT_EQ(read_file(folder.path("f"), 4), bytes);
  EXPECT_THROW(read_file(folder.path("f"), 3), Error);
  EXPECT_EQ(display_name("-"), "<stdin>");
  EXPECT_EQ(display_name("x/y"), "x/y");
}

TEST(File, MissingFilesAreNamed) {
  try {
    read_file("/no/such/file");
    FAIL();
  } catch (const Error& error) {
    EXPECT_STREQ(error.what(), "/no/such/file: cannot open: No such file or directory");
  }
  EXPECT_THROW(OutputFile("/no/such/folder/f"), Error);
}

TEST(OutputFile, ShowsNothingBeforeCommit) {
  const TemporaryFolder folder;
  write_file(folder.path("f"), "old");
  {
    OutputFile file(folder.path("f"));
    file.write("new");
    EXPECT_EQ(folder.read("f"), "old");
  }
  EXPECT_EQ(folder.read("f"), "old");
  EXPECT_THAT(folder.list(), ElementsAre("f"));
  {
    OutputFile file(folder.path("f"));
    file.write("ne");
    file.write("w");
    file.commit();
  }
  EXPECT_EQ(folder.read("f"), "new");
  EXPECT_THAT(folder.list(), ElementsAre("f"));
}

TEST(OutputFile, HasTheModeOfANewFile) {
  const TemporaryFolder folder;
  const mode_t old = ::umask(027);
  write_file(folder.path("f"), "x");
  ::umask(old);
  struct stat status {};
  ASSERT_EQ(::stat(folder.path("f").c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777, 0640u);
}

TEST(OutputFile, DevicesAreWrittenToNotReplaced) {
  write_file("/dev/null", "x");
  struct stat status {};
  ASSERT_EQ(::stat("/dev/null", &status), 0);
  EXPECT_TRUE(S_ISCHR(status.st_mode));
}

TEST(OutputFile, DiscardRemovesUnfinishedFiles) {
  const TemporaryFolder folder;
  OutputFile file(folder.path("f"));
  file.write("x");
  discard_output_files();
  EXPECT_THAT(folder.list(), IsEmpty());
  EXPECT_THROW(file.commit(), Error);
}

TEST(Sha256File, EqualsTheHashOfTheContent) {
  const TemporaryFolder folder;
  const std::string content(3'000'000, 'x');  // several pieces
  EXPECT_EQ(sha256_file(folder.write("f", content)), sha256_hex(content));
  EXPECT_EQ(sha256_file(folder.write("empty", "")), sha256_hex(""));
  EXPECT_THROW(sha256_file(folder.path("missing")), Error);
}

}  // namespace
}  // namespace adamec
