#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "adamec/base/interrupt_undo.h"

namespace adamec {

// An output folder that exists completely or not at all: files go to a temporary folder beside the
// target; commit() syncs and renames it. Destroyed before commit, or interrupted by a signal (see
// interrupt_undo.h), it leaves nothing. A folder that is replaced hands on its permissions and, as
// far as the system lets us, owner and group.
class OutputFolder {
 public:
  // A folder that exists is replaced on commit only when it is empty or holds a file `marker`; any
  // other is somebody else's: throws Error. Also when the parent cannot be written to.
  OutputFolder(const std::string& path, const std::string& marker);
  ~OutputFolder();
  OutputFolder(const OutputFolder&) = delete;
  OutputFolder& operator=(const OutputFolder&) = delete;

  // Makes a folder inside; `name` is a relative path whose parent exists.
  void make_folder(const std::string& name);
  // Writes a new file inside, and syncs it.
  void write(const std::string& name, std::string_view bytes);
  // Makes the file `name` the same as `existing`, without storing its bytes twice where the file
  // system can.
  void link(const std::string& existing, const std::string& name);
  // Makes the output visible. Throws Error and leaves an old folder untouched.
  void commit();

 private:
  [[nodiscard]] std::string inside(const std::string& name) const {
    return temporary_ + "/" + name;
  }
  void check_target() const;
  void take_mode_of_old(unsigned besides) const;

  std::string path_;
  std::string marker_;
  std::string temporary_;
  std::vector<InterruptUndo> undo_;  // in the order in which things were made
  bool committed_ = false;
};

}  // namespace adamec
