#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>
#include <functional>
#include <thread>

#include "adamec/base/error.h"
#include "adamec/base/file.h"
#include "adamec/base/folder.h"
#include "tests/support/run_command.h"

namespace adamec {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using testing::TemporaryFolder;
namespace fs = std::filesystem;

struct stat status_of(const std::string& path) {
  struct stat status {};
  EXPECT_EQ(::stat(path.c_str(), &status), 0) << path;
  return status;
}

std::string error_of(const std::function<void()>& work) {
  try {
    work();
  } catch (const Error& error) {
    return error.what();
  }
  return "";
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

TEST(OutputFile, SaysWhyItCannotBeWritten) {
  const TemporaryFolder folder;
  EXPECT_EQ(error_of([] { OutputFile("/no/such/folder/f"); }),
            "/no/such/folder/f: cannot write: No such file or directory");
  EXPECT_EQ(error_of([&] { OutputFile(folder.path()); }),
            folder.path() + ": cannot write: Is a directory");
  EXPECT_EQ(error_of([] { OutputFile(""); }), "cannot write to a file without a name");
  fs::create_symlink("b", folder.path("a"));
  fs::create_symlink("a", folder.path("b"));
  EXPECT_THAT(error_of([&] { OutputFile(folder.path("a")); }), HasSubstr("symbolic links"));
}

TEST(OutputFile, HasTheModeOfANewFile) {
  const TemporaryFolder folder;
  const mode_t old = ::umask(027);
  write_file(folder.path("f"), "x");
  ::umask(old);
  EXPECT_EQ(status_of(folder.path("f")).st_mode & 0777, 0640U);
}

TEST(OutputFile, KeepsTheModeOfWhatItReplaces) {
  const TemporaryFolder folder;
  for (const mode_t mode : {0600U, 0664U, 0755U, 0444U}) {
    std::filesystem::remove(folder.path("f"));
    folder.write("f", "old");
    ASSERT_EQ(::chmod(folder.path("f").c_str(), mode), 0);
    OutputFile file(folder.path("f"));
    file.write("new");
    // The temporary file does not tell others what the file would not.
    EXPECT_EQ(status_of(file.temporary_path()).st_mode & 0777, mode | 0600U);
    file.commit();
    EXPECT_EQ(status_of(folder.path("f")).st_mode & 07777, mode);
    EXPECT_EQ(folder.read("f"), "new");
  }
}

TEST(OutputFile, KeepsTheOwnerOfWhatItReplaces) {
  if (::geteuid() != 0) GTEST_SKIP() << "skipped: only root gives files away";
  const TemporaryFolder folder;
  folder.write("f", "old");
  ASSERT_EQ(::chown(folder.path("f").c_str(), 65534, 12345), 0);
  ASSERT_EQ(::chmod(folder.path("f").c_str(), 0640), 0);
  write_file(folder.path("f"), "new");
  const struct stat status = status_of(folder.path("f"));
  EXPECT_EQ(status.st_uid, 65534U);
  EXPECT_EQ(status.st_gid, 12345U);
  EXPECT_EQ(status.st_mode & 0777, 0640U);
}

TEST(OutputFile, WritesThroughLinks) {
  const TemporaryFolder folder;
  fs::create_directory(folder.path("store"));
  folder.write("store/x", "old");
  fs::create_symlink("store/x", folder.path("relative"));
  fs::create_symlink(folder.path("relative"), folder.path("absolute"));
  fs::create_directory_symlink("store", folder.path("shelf"));
  for (const char* name : {"relative", "absolute", "shelf/x"}) {
    write_file(folder.path(name), name);
    EXPECT_EQ(folder.read("store/x"), name);
  }
  EXPECT_TRUE(fs::is_symlink(folder.path("relative")));
  EXPECT_TRUE(fs::is_symlink(folder.path("absolute")));
  EXPECT_FALSE(fs::is_symlink(folder.path("store/x")));
  EXPECT_THAT(folder.list(), ElementsAre("absolute", "relative", "shelf", "store"));
}

TEST(OutputFile, MakesTheFileThatALinkNames) {
  const TemporaryFolder folder;
  fs::create_directory(folder.path("store"));
  fs::create_symlink("store/new", folder.path("link"));
  { OutputFile abandoned(folder.path("link")); }
  EXPECT_FALSE(fs::exists(folder.path("store/new")));
  write_file(folder.path("link"), "x");
  EXPECT_EQ(folder.read("store/new"), "x");
  EXPECT_TRUE(fs::is_symlink(folder.path("link")));
}

TEST(OutputFile, DevicesAreWrittenToNotReplaced) {
  write_file("/dev/null", "x");
  EXPECT_TRUE(S_ISCHR(status_of("/dev/null").st_mode));
  EXPECT_TRUE(is_written_directly("/dev/null"));
  EXPECT_TRUE(is_written_directly("-"));
  EXPECT_FALSE(is_written_directly("/no/such/file"));
}

TEST(OutputFile, PipesAreWrittenToNotReplaced) {
  const TemporaryFolder folder;
  const std::string pipe = folder.path("pipe");
  ASSERT_EQ(::mkfifo(pipe.c_str(), 0600), 0);
  fs::create_symlink("pipe", folder.path("link"));
  for (const char* name : {"pipe", "link"}) {
    std::string got;
    std::thread reader([&] { got = read_file(pipe); });
    write_file(folder.path(name), name);
    reader.join();
    EXPECT_EQ(got, name);
  }
  EXPECT_TRUE(S_ISFIFO(status_of(pipe).st_mode));
  EXPECT_THAT(folder.list(), ElementsAre("link", "pipe"));
}

// As "-o /dev/stdout >> file" does: what is there stays, and the shell's file is the same one.
TEST(OutputFile, AppendsToFilesThatAreOpen) {
  const TemporaryFolder folder;
  folder.write("f", "first ");
  const int file = ::open(folder.path("f").c_str(), O_WRONLY | O_APPEND | O_CLOEXEC);
  ASSERT_GE(file, 0);
  const ino_t inode = status_of(folder.path("f")).st_ino;
  const std::string number = std::to_string(file);
  write_file("/proc/self/fd/" + number, "second ");
  write_file("/dev/fd/" + number, "third ");
  fs::create_symlink("/proc/self/fd/" + number, folder.path("link"));
  write_file(folder.path("link"), "fourth");
  ::close(file);
  EXPECT_EQ(folder.read("f"), "first second third fourth");
  EXPECT_EQ(status_of(folder.path("f")).st_ino, inode);
  EXPECT_TRUE(fs::is_symlink(folder.path("link")));
}

TEST(OutputFile, RefusesFilesThatAreOpenForReadingOnly) {
  const TemporaryFolder folder;
  folder.write("f", "x");
  const int file = ::open(folder.path("f").c_str(), O_RDONLY | O_CLOEXEC);
  const std::string path = "/dev/fd/" + std::to_string(file);
  EXPECT_EQ(error_of([&] { OutputFile output(path); }),
            path + ": cannot write: Bad file descriptor");
  ::close(file);
  EXPECT_EQ(error_of([&] { OutputFile output(path); }),
            path + ": cannot write: Bad file descriptor");
}

TEST(OutputFolder, KeepsTheModeOfWhatItReplaces) {
  const TemporaryFolder folder;
  for (const mode_t mode : {0700U, 0775U}) {
    const std::string path = folder.path("bundle" + std::to_string(mode));
    for (const char* content : {"old", "new"}) {
      OutputFolder output(path, "marker");
      output.write("marker", content);
      output.commit();
      if (content == std::string("old")) {
        ASSERT_EQ(::chmod(path.c_str(), mode), 0);
      }
    }
    EXPECT_EQ(status_of(path).st_mode & 0777, mode);
    EXPECT_EQ(read_file(path + "/marker"), "new");
  }
}

}  // namespace
}  // namespace adamec
