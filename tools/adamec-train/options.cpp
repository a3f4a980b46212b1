#include "tools/adamec-train/options.h"

#include <algorithm>
#include <cmath>

#include "adamec/base/error.h"

namespace adamec::tools {

std::optional<train::HoldOut> TrainConfig::hold_out() const {
  if (validate == "config") return train::HoldOut::kConfig;
  if (validate == "model") return train::HoldOut::kModel;
  if (validate == "context") return train::HoldOut::kContext;
  if (validate == "block") return train::HoldOut::kBlock;
  return std::nullopt;
}

void add_options(CLI::App& app, TrainConfig& config) {
  app.add_option("samples", config.samples, "Sample files (adamec-profile), '-' for stdin")
      ->type_name("H.samples")
      ->required();
  app.add_option("-o,--output", config.output, "Write the predictor here")
      ->type_name("H.predictor");
  app.add_option("--validate", config.validate,
                 "Print how well what is left out of training is predicted: configurations, the "
                 "configurations of a whole model, a context (threads and load), or the blocks "
                 "of a model whose atoms are measured")
      ->type_name("config|model|context|block");
  app.add_option("--max-error", config.max_error_percent,
                 "Fail, and write nothing, when the mean absolute error of what is left out is "
                 "more than this percentage: of all atoms, all blocks or all whole models")
      ->type_name("PERCENT");
  app.add_option("--html", config.html,
                 "Write the validation with plots as one HTML page here (of configurations without "
                 "--validate)")
      ->type_name("FILE");
  app.add_option(
         "--base", config.base,
         "Adapt this predictor of another device from a few samples of this one, up to about "
         "50, and say what that costs in accuracy")
      ->type_name("OTHER.predictor");
  app.add_option("--host", config.host, "Use the samples of this host id only")->type_name("ID");
  app.add_option("--seed", config.seed, "Of the training and of the choice of what is left out")
      ->type_name("N")
      ->capture_default_str();
}

void check_options(const TrainConfig& config, bool json) {
  if (!config.validate.empty() && !config.hold_out()) {
    fail_with(ErrorKind::kUsage, "--validate: '{}' is not config, model, context or block",
              printable(config.validate));
  }
  if (config.output.empty() && config.validate.empty() && config.html.empty() &&
      !config.max_error_percent) {
    fail_with(ErrorKind::kUsage, "nothing to do: give -o, --validate, --html or --max-error");
  }
  const double max_error = config.max_error_percent.value_or(0);
  if (!std::isfinite(max_error) || max_error < 0) {
    fail_with(ErrorKind::kUsage, "--max-error: {} is not a percentage", max_error);
  }
  if (std::count(config.samples.begin(), config.samples.end(), "-") > 1) {
    fail_with(ErrorKind::kUsage, "standard input can be read only once");
  }
  if (!config.base.empty() &&
      config.hold_out().value_or(train::HoldOut::kConfig) != train::HoldOut::kConfig) {
    fail_with(ErrorKind::kUsage, "--base can only be validated with --validate config");
  }
  if (config.html == "-" && (json || config.output == "-" || !config.validate.empty())) {
    fail_with(ErrorKind::kUsage, "'--html -' needs standard output for itself");
  }
  if (json && config.output == "-") {
    fail_with(ErrorKind::kUsage, "--json and '-o -' both write to standard output");
  }
}

}  // namespace adamec::tools
