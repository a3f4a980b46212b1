#include <optional>

#include "adamec/archive/archive.h"
#include "adamec/base/file.h"
#include "tools/adamec-split/inspect.h"
#include "tools/adamec-split/options.h"
#include "tools/adamec-split/show.h"
#include "tools/common/progress.h"
#include "tools/common/run_tool.h"

namespace adamec::tools {
namespace {

int run(SplitToolOptions& options, const CommonOptions& common, const Console& console) {
  check_options(options, common.json);
  if (!options.diff.empty()) return compare(options, common.json);
  if (options.split.model != "-" && options.output.empty() && is_archive(options.split.model)) {
    show(options, common.json, archive::Reader::open(options.split.model).manifest());
    return kDone;
  }
  Progress progress("cutting", 1, console.quiet());
  options.split.verify = !options.no_verify;
  options.split.progress = [&](std::size_t done, std::size_t total) {
    progress.update(done, total);
  };
  std::optional<OutputFile> file;
  std::optional<archive::Writer> writer;
  if (!options.output.empty() && !options.dry_run) {
    options.split.writer = &writer.emplace(file.emplace(options.output));
  }
  const torchscript::SplitResult result = torchscript::split_model(options.split);
  for (const std::string& warning : result.warnings) console.warn(warning);
  if (writer) {
    writer->write_manifest(result.manifest);
    file->commit();
    write_depfile(common, options.output, {options.split.model});
  }
  show(options, common.json, result.manifest);
  console.note(summary(result.manifest) +
               (options.split.verify ? "; verified: bit-identical to the model" : ""));
  return kDone;
}

}  // namespace
}  // namespace adamec::tools

int main(int argc, char** argv) {
  using namespace adamec;
  tools::SplitToolOptions options;
  const tools::ToolInfo info{
      "adamec-split", "Cut a TorchScript model into atoms: one file per tensor operator.",
      "  adamec-split models/squeezenet1_1_small.traced.pt --input 'float32[1,3,224,224]' -o "
      "s.atoms\n"
      "  adamec-split models/health_cnn_lstm.traced.pt --input 'float32[1,6,128]' --list\n",
      "LibTorch " + torchscript::libtorch_version() + ", archive format " +
          std::to_string(archive::kArchiveFormatVersion),
      tools::split_details()};
  return tools::run_tool(
      argc, argv, info, [&](CLI::App& app) { tools::define_options(app, options); },
      [&](const tools::CommonOptions& common, const tools::Console& console) {
        return tools::run(options, common, console);
      });
}
