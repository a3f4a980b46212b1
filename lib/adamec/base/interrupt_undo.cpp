#include "adamec/base/interrupt_undo.h"

#include <fcntl.h>
#include <sched.h>
#include <sys/types.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstdint>
#include <utility>

namespace adamec {

// Steps are never given back to the system, only used again: a signal handler may look at any of
// them at any time.
struct InterruptUndo::UndoStep {
  // Who brings a step from one state to another, by one atomic operation, has it alone.
  enum class UndoState { kFree, kBeingFilled, kReady, kBeingDone };

  std::atomic<UndoState> state{UndoState::kBeingFilled};
  std::atomic<std::uint64_t> number{0};
  pid_t process = 0;
  UndoAction action = UndoAction::kRemoveFile;
  std::string path;
  std::string text;
  UndoStep* next = nullptr;

  static inline std::atomic<UndoStep*> all{nullptr};
  static inline std::atomic<std::uint64_t> last_number{0};

  static UndoStep* take_free();
  static UndoStep* newest_before(std::uint64_t& number);
  bool change(UndoState from, UndoState to) { return state.compare_exchange_strong(from, to); }
  void undo() const noexcept;
};

InterruptUndo::UndoStep* InterruptUndo::UndoStep::take_free() {
  for (UndoStep* step = all.load(); step != nullptr; step = step->next) {
    if (step->change(UndoState::kFree, UndoState::kBeingFilled)) return step;
  }
  UndoStep* const step = new UndoStep;
  step->next = all.load();
  while (!all.compare_exchange_weak(step->next, step)) {
  }
  return step;
}

// Lowers `number` to that of the step it returns.
InterruptUndo::UndoStep* InterruptUndo::UndoStep::newest_before(std::uint64_t& number) {
  UndoStep* newest = nullptr;
  std::uint64_t newest_number = 0;
  for (UndoStep* step = all.load(); step != nullptr; step = step->next) {
    const std::uint64_t own = step->number.load();
    if (step->state.load() != UndoState::kReady || own >= number || own <= newest_number) continue;
    newest = step;
    newest_number = own;
  }
  number = newest_number;
  return newest;
}

// Errors are not told: nobody is there who could do something about them.
void InterruptUndo::UndoStep::undo() const noexcept {
  switch (action) {
    case UndoAction::kRemoveFile:
      ::unlink(path.c_str());
      break;
    case UndoAction::kRemoveFolder:
      ::rmdir(path.c_str());
      break;
    case UndoAction::kWriteText: {
      const int file = ::open(path.c_str(), O_WRONLY | O_TRUNC | O_CLOEXEC);
      if (file < 0) break;
      [[maybe_unused]] const ssize_t written = ::write(file, text.data(), text.size());
      ::close(file);
      break;
    }
  }
}

InterruptUndo::InterruptUndo(UndoAction action, const std::string& path, const std::string& text)
    : step_(UndoStep::take_free()) {
  step_->process = ::getpid();
  step_->action = action;
  step_->path = path;
  step_->text = text;
  step_->number = ++UndoStep::last_number;
  step_->state = UndoStep::UndoState::kReady;
}

InterruptUndo::~InterruptUndo() {
  if (step_ == nullptr) return;
  // A signal handler on another thread may be busy with it, and is about to end the process.
  while (!step_->change(UndoStep::UndoState::kReady, UndoStep::UndoState::kFree)) ::sched_yield();
}

InterruptUndo::InterruptUndo(InterruptUndo&& other) noexcept
    : step_(std::exchange(other.step_, nullptr)) {}

InterruptUndo& InterruptUndo::operator=(InterruptUndo&& other) noexcept {
  std::swap(step_, other.step_);
  return *this;
}

void undo_after_interrupt() noexcept {
  using UndoStep = InterruptUndo::UndoStep;
  const int error = errno;
  std::uint64_t number = UINT64_MAX;
  while (UndoStep* const step = UndoStep::newest_before(number)) {
    if (!step->change(UndoStep::UndoState::kReady, UndoStep::UndoState::kBeingDone)) continue;
    if (step->process == ::getpid()) step->undo();
    step->state = UndoStep::UndoState::kReady;
  }
  errno = error;
}

}  // namespace adamec
