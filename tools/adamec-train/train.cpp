#include "tools/adamec-train/train.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>
#include <thread>

#include "adamec/base/error.h"
#include "adamec/base/file.h"
#include "adamec/predict/predictor.h"

namespace adamec::tools {
namespace {

using Json = nlohmann::ordered_json;

constexpr unsigned kMostWorkers = 8;

std::string source_name(const TrainConfig& config) {
  return config.samples.size() == 1 ? display_name(config.samples.front())
                                    : fmt::format("{} files ({}, ...)", config.samples.size(),
                                                  display_name(config.samples.front()));
}

const char* hold_out_name(const TrainConfig& config) {
  return config.validate.empty() ? "config" : config.validate.c_str();
}

// The words for what --validate leaves out.
const char* held_out(const TrainConfig& config) {
  switch (config.hold_out().value_or(predict::HoldOut::kConfig)) {
    case predict::HoldOut::kModel:
      return "models";
    case predict::HoldOut::kContext:
      return "contexts";
    case predict::HoldOut::kConfig:
      break;
  }
  return "configurations";
}

Json number(double value) { return std::isfinite(value) ? Json(value) : Json(nullptr); }

Json accuracy_json(const predict::Accuracy& row) {
  return {{"group", row.group},
          {"count", row.count},
          {"within_5_percent", number(row.within_5)},
          {"within_10_percent", number(row.within_10)},
          {"within_15_percent", number(row.within_15)},
          {"mape_percent", number(row.mape)},
          {"median_ape_percent", number(row.median_ape)},
          {"rmspe_percent", number(row.rmspe)},
          {"p95_coverage_percent", number(row.p95_coverage)},
          {"repeat_within_10_percent", number(row.repeat_within_10)},
          {"repeat_mape_percent", number(row.repeat_mape)}};
}

}  // namespace

TrainSummary train(const TrainConfig& config) {
  const predict::SampleFiles files = predict::read_samples(config.samples);
  const predict::TrainingData data =
      predict::training_data(files.samples, config.host, source_name(config));
  const unsigned workers = std::clamp(std::thread::hardware_concurrency(), 1U, kMostWorkers);
  predict::TrainResult result = predict::train(data, {config.seed, workers, files.sha256});
  const predict::HoldOut hold_out = config.hold_out().value_or(predict::HoldOut::kConfig);
  const auto outcomes = hold_out == predict::HoldOut::kConfig
                            ? result.outcomes
                            : predict::cross_validate(data, hold_out, config.seed, workers);
  const predict::Predictor check(result.predictor, "predictor");  // it must load again
  return {std::move(result.predictor), data.measurements.size(), data.slowdowns.size(),
          data.unpaired, predict::accuracy_table(outcomes)};
}

void check_max_error(const TrainConfig& config, const TrainSummary& summary) {
  if (!config.max_error_percent) return;
  const predict::Accuracy& all = summary.accuracy.back();
  if (all.count == 0) {
    fail("{}: too few different {} to tell the error for --max-error", source_name(config),
         held_out(config));
  }
  if (all.mape > *config.max_error_percent) {
    fail("{}: mean absolute error {:.1f} % for {} left out, more than --max-error {}",
         source_name(config), all.mape, held_out(config), *config.max_error_percent);
  }
}

std::string summary_line(const TrainConfig& config, const TrainSummary& summary) {
  std::string line = fmt::format("{} configuration{} ({} under load) of {} operator{} on {}",
                                 summary.configurations, summary.configurations == 1 ? "" : "s",
                                 summary.loaded, summary.predictor.operators_size(),
                                 summary.predictor.operators_size() == 1 ? "" : "s",
                                 printable(summary.predictor.host().cpu_model()));
  const predict::Accuracy& all = summary.accuracy.back();
  if (all.count > 0) {
    line += fmt::format("; {} left out: {:.0f} % within 10 %, mean absolute error {:.1f} %",
                        held_out(config), all.within_10, all.mape);
  }
  if (std::isfinite(all.repeat_within_10)) {
    line += fmt::format("; measurements repeat within 10 %: {:.0f} %", all.repeat_within_10);
  }
  return line;
}

std::string summary_json(const TrainConfig& config, const TrainSummary& summary) {
  Json table = Json::array();
  for (const predict::Accuracy& row : summary.accuracy) table.push_back(accuracy_json(row));
  const Json json = {{"host", summary.predictor.host().id()},
                     {"configurations", summary.configurations},
                     {"under_load", summary.loaded},
                     {"unpaired", summary.unpaired},
                     {"operators", summary.predictor.operators_size()},
                     {"training_sha256", summary.predictor.training_sha256()},
                     {"held_out", hold_out_name(config)},
                     {"validation", table}};
  return json.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

}  // namespace adamec::tools
