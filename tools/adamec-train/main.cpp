#include <fmt/format.h>

#include <iostream>

#include "adamec/base/file.h"
#include "adamec/predict/predictor.h"
#include "adamec/train/xgboost_trainer.h"
#include "tools/adamec-train/options.h"
#include "tools/adamec-train/train.h"
#include "tools/common/run_tool.h"

namespace {

using namespace adamec;
using namespace adamec::tools;

int run(const TrainConfig& config, const CommonOptions& common, const Console& console) {
  check_options(config, common.json);
  const TrainSummary summary = train_and_validate(config);
  for (const std::string& warning : summary.warnings()) console.warn(warning);
  if (common.json) {
    std::cout << summary_json(config, summary);
  } else if (config.hold_out()) {
    (config.output == "-" ? std::cerr : std::cout) << train::accuracy_text(summary.accuracy);
  }
  if (!config.html.empty()) write_file(config.html, summary_html(config, summary));
  check_max_error(config, summary);
  if (!config.output.empty()) {
    write_file(config.output, summary.predictor.SerializeAsString());
    std::vector<std::string> inputs = config.samples;
    if (!config.base.empty()) inputs.push_back(config.base);
    write_depfile(common, config.output, inputs);
  }
  for (const std::string& line : summary_lines(config, summary)) console.note(line);
  return kDone;
}

}  // namespace

int main(int argc, char** argv) {
  const ToolInfo info{
      "adamec-train",
      "Train a latency predictor from what adamec-profile measured: it predicts any atom from its "
      "configuration, the number of threads and the CPU load.",
      "  adamec-train phone.samples -o phone.predictor\n"
      "  adamec-train phone.samples --validate model --html report.html --max-error 10\n"
      "  adamec-train few.samples --base phone.predictor -o tablet.predictor\n",
      fmt::format("XGBoost {}, predictor format {}, sample format {}", train::xgboost_version(),
                  predict::kPredictorFormatVersion, train::kSampleFormatVersion),
      help_details()};
  TrainConfig config;
  return run_tool(
      argc, argv, info, [&](CLI::App& app) { add_options(app, config); },
      [&](const CommonOptions& common, const Console& console) {
        return run(config, common, console);
      });
}
