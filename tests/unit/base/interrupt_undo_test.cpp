#include "adamec/base/interrupt_undo.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <filesystem>
#include <optional>
#include <thread>
#include <utility>
#include <vector>

#include "adamec/base/error.h"
#include "adamec/base/file.h"
#include "adamec/base/folder.h"
#include "tests/support/run_command.h"

namespace adamec {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using testing::TemporaryFolder;
namespace fs = std::filesystem;

TEST(InterruptUndo, DoesWhatIsRegisteredTheNewestFirst) {
  const TemporaryFolder folder;
  const InterruptUndo outer(UndoAction::kRemoveFolder, folder.path("a"));
  fs::create_directories(folder.path("a/b"));
  const InterruptUndo inner(UndoAction::kRemoveFolder, folder.path("a/b"));
  const InterruptUndo file(UndoAction::kRemoveFile, folder.write("a/b/f", "x"));
  const std::string limit = folder.write("limit", "800000");
  const InterruptUndo first(UndoAction::kWriteText, limit, "3000000");
  const InterruptUndo second(UndoAction::kWriteText, limit, "2000000");
  undo_after_interrupt();
  EXPECT_THAT(folder.list(), ElementsAre("limit"));
  EXPECT_EQ(folder.read("limit"), "3000000");
}

TEST(InterruptUndo, ForgetsWhatWasTakenBack) {
  const TemporaryFolder folder;
  const std::string kept = folder.write("kept", "x");
  const std::string gone = folder.write("gone", "x");
  std::optional<InterruptUndo> first(std::in_place, UndoAction::kRemoveFile, kept);
  const InterruptUndo second(UndoAction::kRemoveFile, gone);
  first.reset();
  undo_after_interrupt();
  EXPECT_THAT(folder.list(), ElementsAre("kept"));
}

TEST(InterruptUndo, CanBeMoved) {
  const TemporaryFolder folder;
  std::vector<InterruptUndo> steps;
  for (const char* name : {"a", "b", "c"}) {
    steps.emplace_back(UndoAction::kRemoveFile, folder.write(name, "x"));
  }
  steps.erase(steps.begin());
  undo_after_interrupt();
  EXPECT_THAT(folder.list(), ElementsAre("a"));
}

TEST(InterruptUndo, LeavesFoldersThatAreNotEmptyAndMakesNoFiles) {
  const TemporaryFolder folder;
  fs::create_directory(folder.path("full"));
  folder.write("full/f", "x");
  const InterruptUndo full(UndoAction::kRemoveFolder, folder.path("full"));
  const InterruptUndo missing(UndoAction::kWriteText, folder.path("missing"), "x");
  undo_after_interrupt();
  EXPECT_THAT(folder.list(), ElementsAre("full"));
}

TEST(InterruptUndo, LeavesTheParentsStepsToTheParent) {
  const TemporaryFolder folder;
  const InterruptUndo parents(UndoAction::kRemoveFile, folder.write("parent", "x"));
  const pid_t child = ::fork();
  if (child == 0) {
    const InterruptUndo own(UndoAction::kRemoveFile, folder.write("child", "x"));
    undo_after_interrupt();
    ::_exit(0);
  }
  int status = 0;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  EXPECT_EQ(status, 0);
  EXPECT_THAT(folder.list(), ElementsAre("parent"));
  undo_after_interrupt();
  EXPECT_THAT(folder.list(), IsEmpty());
}

// With AddressSanitizer and ThreadSanitizer this is what they look at.
TEST(InterruptUndo, MayHappenWhileOtherThreadsWork) {
  const TemporaryFolder folder;
  std::atomic<bool> stop{false};
  std::vector<std::thread> threads;
  for (int i = 0; i < 3; ++i) {
    threads.emplace_back([&, i] {
      // Paths of many lengths: a step is used again for another one.
      for (std::size_t length = 1; !stop; length = length % 200 + 1) {
        const std::string path = folder.path(std::to_string(i) + std::string(length, 'x'));
        const InterruptUndo undo(UndoAction::kRemoveFile, path);
      }
    });
  }
  const std::string bystander = folder.write("bystander", "x");
  for (int i = 0; i < 300; ++i) undo_after_interrupt();
  stop = true;
  for (std::thread& thread : threads) thread.join();
  EXPECT_THAT(folder.list(), ElementsAre("bystander"));
}

TEST(InterruptUndo, RemovesUnfinishedFilesAndFolders) {
  const TemporaryFolder folder;
  OutputFile file(folder.path("f"));
  file.write("x");
  OutputFolder bundle(folder.path("bundle"), "marker");
  bundle.make_folder("device");
  bundle.write("device/a.pt", "x");
  bundle.link("device/a.pt", "b.pt");
  EXPECT_EQ(folder.list().size(), 2U);
  undo_after_interrupt();
  EXPECT_THAT(folder.list(), IsEmpty());
  EXPECT_THROW(file.commit(), Error);
}

}  // namespace
}  // namespace adamec
