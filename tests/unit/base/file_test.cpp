#include "adamec/base/file.h"

#include <gtest/gtest.h>

#include "adamec/base/error.h"
#include "adamec/base/sha256.h"
#include "tests/support/run_command.h"

namespace adamec {
namespace {

using testing::TemporaryFolder;

TEST(File, ReadsWhatWasWritten) {
  const TemporaryFolder folder;
  const std::string bytes("a\0b\n", 4);
  write_file(folder.path("f"), bytes);
  EXPECT_EQ(read_file(folder.path("f")), bytes);
  EXPECT_EQ(read_file(folder.path("f"), 4), bytes);
  EXPECT_THROW((void)read_file(folder.path("f"), 3), Error);
  EXPECT_EQ(display_name("-"), "<stdin>");
  EXPECT_EQ(display_name("x/y"), "x/y");
}

TEST(File, MissingFilesAreNamed) {
  try {
    (void)read_file("/no/such/file");
    FAIL();
  } catch (const Error& error) {
    EXPECT_STREQ(error.what(), "/no/such/file: cannot open: No such file or directory");
  }
}

TEST(Sha256File, EqualsTheHashOfTheContent) {
  const TemporaryFolder folder;
  const std::string content(3'000'000, 'x');  // several pieces
  EXPECT_EQ(sha256_file(folder.write("f", content)), sha256_hex(content));
  EXPECT_EQ(sha256_file(folder.write("empty", "")), sha256_hex(""));
  EXPECT_THROW((void)sha256_file(folder.path("missing")), Error);
}

}  // namespace
}  // namespace adamec
