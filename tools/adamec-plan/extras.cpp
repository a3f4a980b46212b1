#include "tools/adamec-plan/extras.h"

#include "adamec/base/error.h"

namespace adamec::tools {

void add_extra_options(CLI::App& app, ExtraOptions& options) {
  app.add_flag("--atlas", options.atlas,
               "Write the plans that are best anywhere in the ranges of the context's `atlas` "
               "section, and where, instead of one plan; --format also takes pb (for --lookup) and "
               "header (C++, for plan/atlas_lookup.h)");
  app.add_option("--lookup", options.lookup,
                 "Ask this atlas (--atlas --format pb) which plan to use, '-' for stdin")
      ->type_name("ATLAS.pb");
  app.add_option("--at", options.at,
                 "With --lookup: where, like 'bandwidth=5Mbit/s' or 'load phone=0.5' (repeatable; "
                 "what is left out is in the middle of its range)")
      ->type_name("NAME=VALUE")
      ->expected(1)
      ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
  app.add_option("--current", options.current,
                 "With --lookup: the plan that is loaded; another one is advised only when it "
                 "gains more than loading it takes")
      ->type_name("PLAN");
  app.add_option("--bundle", options.bundle,
                 "Write the blocks of the plan, or of all plans of the atlas, as TorchScript files "
                 "into this folder, by tier, with a bundle.json")
      ->type_name("DIR");
  app.add_option("--html", options.html,
                 "Write a page with a picture of the plan's graph or of the atlas")
      ->type_name("FILE");
  app.add_option("--svg", options.svg, "With --atlas: write the page's picture alone")
      ->type_name("FILE");
  app.add_flag(
      "--explain", options.explain,
      "Say why each cut is where it is and what limits the plan, or which constraint makes "
      "it impossible and by how much");
}

void check_extras(const ExtraOptions& options, bool costs, const std::string& archive) {
  const auto refuse = [](const char* text) { throw Error(ErrorKind::kUsage, text); };
  if (options.lookup.empty() && (!options.at.empty() || options.current != -1)) {
    refuse("--at and --current need --lookup");
  }
  if (options.current < -1) refuse("--current: expected the number of a plan");
  if (!options.lookup.empty() &&
      (options.atlas || !options.bundle.empty() || !options.html.empty() || options.explain)) {
    refuse("--lookup excludes --atlas, --bundle, --html and --explain");
  }
  if (options.atlas && options.explain) refuse("--atlas and --explain exclude each other");
  if (!options.svg.empty() && !options.atlas) refuse("--svg needs --atlas");
  if (!options.bundle.empty() && costs) {
    refuse("--bundle needs an archive: a cost graph has no TorchScript files");
  }
  if (!options.bundle.empty() && archive == "-") refuse("--bundle needs the archive as a file");
  if (options.bundle == "-") refuse("--bundle: expected a folder");
}

}  // namespace adamec::tools
