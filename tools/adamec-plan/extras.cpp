#include "tools/adamec-plan/extras.h"

#include "adamec/base/error.h"

namespace adamec::tools {

void add_extra_options(CLI::App& app, ExtraOptions& options) {
  app.add_flag("--atlas", options.atlas,
               "Write all plans that are best somewhere in the context's ranges, and where");
  app.add_option("--lookup", options.lookup, "Look up the best plan in this atlas, '-' for stdin")
      ->type_name("ATLAS.pb");
  app.add_option("--at", options.at,
                 "Value of one range for --lookup, like bandwidth=5Mbit/s (repeatable)")
      ->type_name("NAME=VALUE")
      ->expected(1)
      ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
  app.add_option("--current", options.current,
                 "Number of the plan that is loaded now, for --lookup")
      ->type_name("PLAN");
  app.add_option("--bundle", options.bundle,
                 "Write the plan's (or atlas's) blocks as TorchScript files into this folder")
      ->type_name("DIR");
  app.add_option("--html", options.html,
                 "Write a page with a picture of the plan's graph or of the atlas")
      ->type_name("FILE");
  app.add_option("--svg", options.svg, "Write the picture of the atlas alone, with --atlas")
      ->type_name("FILE");
  app.add_flag("--explain", options.explain,
               "Explain each cut and what limits the plan, or why there is none");
}

void check_extras(const ExtraOptions& options, bool costs, const std::string& archive) {
  const auto refuse = [](const char* text) { throw Error(ErrorKind::kUsage, text); };
  if (options.lookup.empty() && (!options.at.empty() || options.current != -1)) {
    refuse("--at and --current need --lookup");
  }
  if (options.current < -1) refuse("--current: expected the number of a plan");
  if (!options.lookup.empty() &&
      (options.atlas || !options.bundle.empty() || !options.html.empty() || options.explain)) {
    refuse("--lookup cannot be given together with --atlas, --bundle, --html or --explain");
  }
  if (options.atlas && options.explain) refuse("--atlas and --explain cannot be given together");
  if (!options.svg.empty() && !options.atlas) refuse("--svg needs --atlas");
  if (!options.bundle.empty() && costs) {
    refuse("--bundle needs an archive: a cost graph has no TorchScript files");
  }
  if (!options.bundle.empty() && archive == "-") refuse("--bundle needs the archive as a file");
  if (options.bundle == "-") refuse("--bundle: expected a folder");
}

}  // namespace adamec::tools
