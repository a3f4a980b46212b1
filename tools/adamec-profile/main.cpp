#include <fmt/format.h>

#include <iostream>

#include "adamec/measure/atom_runner.h"
#include "adamec/measure/sample_file.h"
#include "tools/adamec-profile/export.h"
#include "tools/adamec-profile/options.h"
#include "tools/adamec-profile/profile.h"
#include "tools/adamec-profile/report.h"
#include "tools/adamec-profile/restart.h"
#include "tools/adamec-profile/summary.h"
#include "tools/adamec-profile/work_list.h"
#include "tools/common/run_tool.h"

namespace {

using namespace adamec;
using namespace adamec::tools;

int list(const WorkList& work, const ProfileConfig& config, const CommonOptions& common,
         const Console& console) {
  std::cout << (common.json ? list_json(work, config) : list_text(work, config));
  console.note(work_summary(work, config));
  return kDone;
}

int measure_and_print(const WorkList& work, const ProfileConfig& config,
                      const CommonOptions& common, const Console& console) {
  console.note(work_summary(work, config));
  const Summary summary = profile(work, config, common, console);
  if (common.json) {
    std::cout << summary_json(summary, work, config);
  } else if (config.csv) {
    std::cout << samples_csv(summary.result.samples);
  } else if (config.output.empty()) {
    std::cout << latency_table(summary.result.samples);
  }
  console.note(summary_line(summary));
  if (!config.output.empty()) write_depfile(common, config.output, config.archives);
  return kDone;
}

}  // namespace

int main(int argc, char** argv) {
  const ToolInfo info{
      "adamec-profile",
      "Measure how long operators, blocks and models of atom archives take on this machine.",
      "  adamec-profile resnet18.atoms -o phone.samples\n"
      "  adamec-profile *.atoms -o phone.samples --threads 1,2 --cpu-load 0,0.5 --budget 5min\n"
      "  adamec-profile --report phone.samples\n",
      "LibTorch " + measure::libtorch_version() +
          fmt::format(", sample format {}", measure::kSampleFormatVersion),
      option_details()};
  ProfileOptions options;
  return run_tool(
      argc, argv, info, [&](CLI::App& app) { add_options(app, options); },
      [&](const CommonOptions& common, const Console& console) {
        const ProfileConfig config = understand(options, common.json);
        if (config.report) return report(config, common, console);
        if (!config.list) restart_for_measuring(argv, config.cpus);
        const WorkList work(config);
        return config.list ? list(work, config, common, console)
                           : measure_and_print(work, config, common, console);
      });
}
