#pragma once

#include <CLI/CLI.hpp>
#include <functional>
#include <string>
#include <vector>

// What all commands share: command line, exit codes, one-line errors, interrupts.
namespace adamec::tools {

enum ExitCode : int {
  kDone = 0,
  kFailed = 1,
  kWrongUsage = 2,
  kNoPlan = 3,
  kInternalError = 70,
};

struct ToolInfo {
  std::string name;          // "adamec-split"
  std::string description;   // one sentence of at most 15 words
  std::string examples;      // two commands that work when pasted
  std::string versions;      // of libraries and formats: "LibTorch 1.13.1, archive format 1"
  std::string details = {};  // what --help says below the options, lines of at most 100 characters
};

// The options every command has. `json` is offered by all; its meaning is a machine-readable form
// of what the command prints on stdout.
struct CommonOptions {
  bool quiet = false;
  bool verbose = false;
  bool json = false;
  std::string depfile;
};

// What a command's body may say to people, always on stderr.
class Console {
 public:
  Console(std::string tool, const CommonOptions& options)
      : tool_(std::move(tool)), options_(options) {}
  // "adamec-split: warning: ..."; not shown with -q.
  void warn(const std::string& message) const;
  // A line of progress or result; not shown with -q.
  void note(const std::string& message) const;
  // Shown with -v only.
  void detail(const std::string& message) const;
  [[nodiscard]] bool quiet() const { return options_.quiet; }

 private:
  std::string tool_;
  const CommonOptions& options_;
};

// Parses the command line and runs `body`, whose result is the exit code.
//
// `define` adds the command's own options to the app. Every long option --some-name can also be
// given by ADAMEC_SOME_NAME and by a line `some-name = value` of the --config file; a flag beats a
// variable, a variable beats the file. Unknown keys of the file are errors.
//
// adamec::Error becomes one line on stderr and the exit code of its kind; any other exception is
// an internal error (70). A signal that ends the process, abort() included, removes unfinished
// output files and takes back what was set on the host (adamec/base/interrupt_undo.h); a signal
// that was ignored when the tool started, as by nohup, stays ignored.
[[nodiscard]] int run_tool(int argc, char** argv, const ToolInfo& info,
                           const std::function<void(CLI::App&)>& define,
                           const std::function<int(const CommonOptions&, const Console&)>& body);

// Writes a Make/Ninja rule "target: inputs" when --depfile (-MF) was given; "-" is left out.
void write_depfile(const CommonOptions& options, const std::string& target,
                   const std::vector<std::string>& inputs);

}  // namespace adamec::tools
