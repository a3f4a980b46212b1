#include "tools/common/run_tool.h"

#include <atomic>
#include <csignal>
#include <cstdlib>
#include <iostream>
#include <memory>
#include <new>

#include "adamec/base/error.h"
#include "adamec/base/file.h"
#include "adamec/base/interrupt_undo.h"
#include "adamec/base/version.h"

namespace adamec::tools {
namespace {

std::string variable_name(const std::string& option) {
  std::string name = "ADAMEC_";
  for (char c : option) {
    name += c == '-' ? '_' : static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
  }
  return name;
}

bool variable_is_set(const std::string& name) {
  const char* value = std::getenv(name.c_str());
  return value != nullptr && *value != '\0';
}

// CLI11 2.1 reads the file before the environment and lets the first win. Here, what the
// environment sets is taken out of the file's entries, so that a variable beats the file.
class ConfigBelowEnvironment : public CLI::ConfigTOML {
 public:
  std::vector<CLI::ConfigItem> from_config(std::istream& input) const override {
    std::vector<CLI::ConfigItem> entries = CLI::ConfigTOML::from_config(input);
    std::erase_if(entries, [](const CLI::ConfigItem& entry) {
      return entry.parents.empty() && variable_is_set(variable_name(entry.name));
    });
    return entries;
  }
};

void add_common_options(CLI::App& app, CommonOptions& options) {
  app.add_flag("-q,--quiet", options.quiet, "Print nothing but errors and the result");
  app.add_flag("-v,--verbose", options.verbose, "Print more about what is done");
  app.add_flag("--json", options.json, "Print the result as JSON");
  app.add_option("--depfile", options.depfile,
                 "Write a Make/Ninja dependency file (also: -MF FILE)")
      ->type_name("FILE");
}

void name_variables(CLI::App& app) {
  for (CLI::Option* option : app.get_options()) {
    const auto& names = option->get_lnames();
    if (names.empty() || names.front() == "help" || names.front() == "version" ||
        names.front() == "config") {
      continue;
    }
    option->envname(variable_name(names.front()));
  }
}

// Help shows variables once, in the footer, not beside every option.
class PlainFormatter : public CLI::Formatter {
 public:
  std::string make_option_opts(const CLI::Option* option) const override {
    std::string text;
    if (option->get_type_size() != 0) {
      if (!option->get_type_name().empty()) text += " " + option->get_type_name();
      if (!option->get_default_str().empty()) text += " [" + option->get_default_str() + "]";
      if (option->get_expected_max() == CLI::detail::expected_max_vector_size) text += " ...";
      if (option->get_required()) text += " (required)";
    }
    return text;
  }
};

// "-MF FILE" is what compilers call it; CLI11's short options have one letter.
std::vector<std::string> arguments(int argc, char** argv) {
  std::vector<std::string> result;
  bool only_positionals = false;
  for (int i = argc - 1; i > 0; --i) result.emplace_back(argv[i]);
  for (auto it = result.rbegin(); it != result.rend(); ++it) {
    only_positionals = only_positionals || *it == "--";
    if (*it == "-MF" && !only_positionals) *it = "--depfile";
  }
  return result;  // CLI11 takes them in reverse
}

std::string one_line(std::string text) {
  for (char& c : text) {
    if (c == '\n') c = ' ';
  }
  return text;
}

int report(const std::string& tool, const std::string& message, int code) {
  std::cerr << tool << ": error: " << one_line(message) << std::endl;
  return code;
}

int exit_code(ErrorKind kind) {
  switch (kind) {
    case ErrorKind::kUsage:
      return kWrongUsage;
    case ErrorKind::kInfeasible:
      return kNoPlan;
    case ErrorKind::kFailed:
      break;
  }
  return kFailed;
}

// Signals that end a process unless it handles them. SIGABRT is what std::terminate() ends in.
constexpr int kEndingSignals[] = {SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGABRT};

extern "C" void on_ending_signal(int signal) {
  // A second signal, taken by a thread of its own, must not end the process in the midst of it.
  static std::atomic_flag taken = ATOMIC_FLAG_INIT;
  if (taken.test_and_set()) return;
  undo_after_interrupt();
  std::signal(signal, SIG_DFL);
  std::raise(signal);  // delivered when this returns
}

void handle_signals() {
  struct sigaction action {};
  action.sa_handler = on_ending_signal;
  action.sa_flags = SA_RESTART;
  sigemptyset(&action.sa_mask);
  for (const int signal : kEndingSignals) sigaddset(&action.sa_mask, signal);
  for (const int signal : kEndingSignals) {
    struct sigaction before {};
    ::sigaction(signal, nullptr, &before);
    // nohup and shells' background jobs have signals ignored: that is to stay.
    if (before.sa_handler != SIG_IGN) ::sigaction(signal, &action, nullptr);
  }
  std::signal(SIGPIPE, SIG_IGN);  // a closed pipe is a write error like any other
}

std::string escape_for_make(const std::string& path) {
  std::string text;
  for (char c : path) {
    if (c == ' ' || c == '#' || c == '\\') text += '\\';
    if (c == '$') text += '$';
    text += c;
  }
  return text;
}

}  // namespace

void Console::warn(const std::string& message) const {
  if (!options_.quiet) std::cerr << tool_ << ": warning: " << one_line(message) << std::endl;
}

void Console::note(const std::string& message) const {
  if (!options_.quiet) std::cerr << message << std::endl;
}

void Console::detail(const std::string& message) const {
  if (options_.verbose && !options_.quiet) std::cerr << message << std::endl;
}

int run_tool(int argc, char** argv, const ToolInfo& info,
             const std::function<void(CLI::App&)>& define,
             const std::function<int(const CommonOptions&, const Console&)>& body) {
  handle_signals();
  CLI::App app{info.description, info.name};
  CommonOptions options;
  app.formatter(std::make_shared<PlainFormatter>());
  app.set_version_flag("--version", info.name + " " + version() + " (" + info.versions + ")");
  define(app);
  add_common_options(app, options);
  name_variables(app);
  app.set_config("--config", "", "Read options from a file of lines 'name = value'")
      ->type_name("FILE");
  app.config_formatter(std::make_shared<ConfigBelowEnvironment>());
  app.allow_config_extras(CLI::config_extras_mode::error);
  app.footer((info.details.empty() ? "" : info.details + "\n") + "Examples:\n" + info.examples +
             "\nEvery --some-name can also be set by ADAMEC_SOME_NAME or in the --config file\n"
             "(flag beats variable beats file). '-' is standard input or output.\n"
             "Exit status: 0 done, 1 failed, 2 wrong usage, 3 no plan meets the constraints,\n"
             "70 internal error.");
  try {
    app.parse(arguments(argc, argv));
  } catch (const CLI::Success& success) {  // --help, --version
    app.exit(success, std::cout, std::cerr);
    return kDone;
  } catch (const CLI::ParseError& error) {
    return report(info.name, std::string(error.what()) + " (see --help)", kWrongUsage);
  } catch (const Error& error) {
    return report(info.name, error.what(), exit_code(error.kind()));
  }
  try {
    const int code = body(options, Console(info.name, options));
    std::cout.flush();
    return std::cout.good() ? code : report(info.name, "<stdout>: cannot write", kFailed);
  } catch (const Error& error) {
    return report(info.name, error.what(), exit_code(error.kind()));
  } catch (const std::bad_alloc&) {
    return report(info.name, "not enough memory", kFailed);
  } catch (const std::exception& error) {
    return report(info.name, std::string("internal error: ") + error.what(), kInternalError);
  }
}

void write_depfile(const CommonOptions& options, const std::string& target,
                   const std::vector<std::string>& inputs) {
  if (options.depfile.empty()) return;
  std::string rule = escape_for_make(target) + ":";
  for (const std::string& input : inputs) {
    if (input != "-") rule += " " + escape_for_make(input);
  }
  write_file(options.depfile, rule + "\n");
}

}  // namespace adamec::tools
