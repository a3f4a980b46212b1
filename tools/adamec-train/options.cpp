#include "tools/adamec-train/options.h"

#include <algorithm>
#include <cmath>
#include <string>

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
  app.add_option("samples", config.samples,
                 "Sample files that adamec-profile wrote, '-' for standard input")
      ->type_name("H.samples")
      ->required();
  app.add_option("-o,--output", config.output, "Write the predictor to this file")
      ->type_name("H.predictor");
  app.add_option("--validate", config.validate,
                 "Print how well parts left out of training are predicted (see below)")
      ->type_name("config|model|context|block|none");
  app.add_option("--max-error", config.max_error_percent,
                 "Fail above this mean absolute error of what is left out (see below)")
      ->type_name("PERCENT");
  app.add_option("--html", config.html, "Write the validation with charts as one HTML page")
      ->type_name("FILE");
  app.add_option("--base", config.base,
                 "Adapt this predictor of a different device, from few samples (see below)")
      ->type_name("OTHER.predictor");
  app.add_option("--host", config.host, "Use only the samples of the host with this id")
      ->type_name("ID");
  app.add_option("--seed", config.seed, "Random seed of training and of what is left out")
      ->type_name("N")
      ->capture_default_str();
}

std::string help_details() {
  return R"(--validate leaves parts out of training, predicts them, and compares with what was measured:
  config   a tenth of the configurations at a time (also what is summed up without --validate)
  model    all configurations of a model
  context  a number of threads with a load
  block    the blocks of a model whose atoms are measured
  none     says nothing of accuracy; the predictor is the same
Configurations that were measured are not predicted later: their latency is used as it is.

--max-error: the mean absolute error, in percent of the measured latency, of all atoms, all blocks
or all whole models left out; above it, no predictor is written, and the exit code is 1.

--base: up to about 50 configurations measured on the new device; with more, train without it. It
also prints how accurate the other predictor is as it is, and one of the new samples alone.
)";
}

void check_options(const TrainConfig& config, bool json) {
  if (!config.validate.empty() && !config.hold_out() && !config.is_unvalidated()) {
    fail_with(ErrorKind::kUsage, "--validate: '{}' is not config, model, context, block or none",
              printable(config.validate));
  }
  const bool prints = !config.validate.empty() && !config.is_unvalidated();
  if (config.output.empty() && !prints && config.html.empty() && !config.max_error_percent) {
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
  if (config.html == "-" && (json || config.output == "-" || prints)) {
    fail_with(ErrorKind::kUsage, "'--html -' needs standard output for itself");
  }
  if (json && config.output == "-") {
    fail_with(ErrorKind::kUsage, "--json and '-o -' both write to standard output");
  }
}

}  // namespace adamec::tools
