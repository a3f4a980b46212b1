#pragma once

#include <string>

namespace adamec {

// How a change outside this process is taken back.
enum class UndoAction {
  kRemoveFile,    // unlink `path`
  kRemoveFolder,  // rmdir `path`: does nothing to a folder that is not empty
  kWriteText,     // write `text` into `path`, which exists
};

// One step to take back a change that would outlive this process: a temporary file, a limit set on
// the host. Destructors do not run when a signal ends the process; a signal handler that calls
// undo_after_interrupt() does these steps instead.
//
// Make it BEFORE the change, so that there is no moment in which the change is there and the step
// is not; destroy it when the change is taken back, or is to stay. May be used by several threads.
//
//   const InterruptUndo undo(UndoAction::kRemoveFolder, path);
//   ::mkdir(path.c_str(), 0755);
class InterruptUndo {
 public:
  explicit InterruptUndo(UndoAction action, const std::string& path, const std::string& text = "");
  ~InterruptUndo();
  InterruptUndo(InterruptUndo&& other) noexcept;
  InterruptUndo& operator=(InterruptUndo&& other) noexcept;

 private:
  struct UndoStep;
  friend void undo_after_interrupt() noexcept;

  UndoStep* step_ = nullptr;
};

// Does all steps that this process has registered, the newest first; those of the process it was
// forked from are left to that one. Safe to call from a signal handler: it takes no lock and no
// memory.
void undo_after_interrupt() noexcept;

}  // namespace adamec
