#include "tools/adamec-train/train.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>
#include <thread>

#include "adamec/base/error.h"
#include "adamec/base/file.h"
#include "adamec/predict/predictor.h"
#include "adamec/train/adaptation_fit.h"
#include "adamec/train/validation_html.h"

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
  return config.hold_out() ? config.validate.c_str() : "config";
}

// The words for what --validate leaves out.
const char* held_out(const TrainConfig& config) {
  switch (config.hold_out().value_or(train::HoldOut::kConfig)) {
    case train::HoldOut::kModel:
      return "models";
    case train::HoldOut::kContext:
      return "contexts";
    case train::HoldOut::kBlock:
      return "blocks";
    case train::HoldOut::kConfig:
      break;
  }
  return "configurations";
}

Json number(double value) { return std::isfinite(value) ? Json(value) : Json(nullptr); }

// What the predictor was trained from.
std::string learnt_line(const TrainSummary& summary) {
  const int operators = summary.predictor.operators_size();
  return fmt::format("{} configuration{} ({} under load) of {} operator{} on {}",
                     summary.configurations, summary.configurations == 1 ? "" : "s", summary.loaded,
                     operators, operators == 1 ? "" : "s",
                     printable(summary.predictor.host().cpu_model()));
}

Json accuracy_json(const train::Accuracy& row) {
  return {{"group", row.group},
          {"count", row.count},
          {"within_5_percent", number(row.within_5)},
          {"within_10_percent", number(row.within_10)},
          {"within_15_percent", number(row.within_15)},
          {"mape_percent", number(row.mape)},
          {"median_ape_percent", number(row.median_ape)},
          {"rmspe_percent", number(row.rmspe)},
          {"p95_coverage_percent", number(row.p95_coverage)},
          {"repeat_within_5_percent", number(row.repeat_within_5)},
          {"repeat_within_10_percent", number(row.repeat_within_10)},
          {"repeat_mape_percent", number(row.repeat_mape)}};
}

}  // namespace

std::vector<std::string> TrainSummary::warnings() const {
  std::vector<std::string> lines;
  const auto add = [&](std::size_t count, const char* what) {
    if (count > 0)
      lines.push_back(fmt::format("{} sample{} {}", count, count == 1 ? "" : "s", what));
  };
  add(unpaired, "under load have no unloaded one in their round: not used");
  add(incomplete, "of blocks with parts that no file describes: not used");
  add(other_contexts, "with a CPU quota, a frequency or another device: not used");
  add(preempted,
      "of one thread never ran undisturbed: their CPU time is taken (measure on an idle machine)");
  return lines;
}

TrainSummary train_and_validate(const TrainConfig& config) {
  const train::SampleFiles files = train::read_samples(config.samples);
  const train::TrainingData data =
      train::training_data(files.samples, config.host, source_name(config));
  TrainSummary summary;
  summary.configurations = data.measurements.size();
  summary.loaded = data.slowdowns.size();
  summary.unpaired = data.unpaired;
  summary.preempted = data.preempted;
  summary.incomplete = data.incomplete;
  summary.other_contexts = data.other_contexts;
  const unsigned workers = std::clamp(std::thread::hardware_concurrency(), 1U, kMostWorkers);
  const train::TrainOptions options{config.seed, workers, files.sha256};
  if (config.base.empty()) {
    train::TrainResult result = train::train(data, options);
    const train::HoldOut hold_out = config.hold_out().value_or(train::HoldOut::kConfig);
    summary.outcomes = hold_out == train::HoldOut::kConfig
                           ? std::move(result.outcomes)
                           : train::cross_validate(data, hold_out, config.seed, workers);
    summary.predictor = std::move(result.predictor);
  } else {
    const predict::Predictor base = predict::Predictor::load(config.base);
    train::AdaptResult result =
        train::adapt(base.message(), display_name(config.base), data, options);
    summary.outcomes = std::move(result.adapted);
    summary.predictor = std::move(result.predictor);
    summary.base_host = base.message().host();
    summary.unadapted = train::accuracy_table(result.unadapted).back();
    summary.from_scratch = train::accuracy_table(result.from_scratch).back();
  }
  const predict::Predictor check(summary.predictor, "predictor");  // it must load again
  summary.accuracy = train::accuracy_table(summary.outcomes);
  return summary;
}

void check_max_error(const TrainConfig& config, const TrainSummary& summary) {
  if (!config.max_error_percent) return;
  if (summary.outcomes.empty()) {
    fail("{}: too few different {} to tell the error for --max-error", source_name(config),
         held_out(config));
  }
  for (const train::Accuracy& row : summary.accuracy) {
    const bool total = row.group == "all" || row.group == "blocks" || row.group == "models";
    if (!total || !(row.mape > *config.max_error_percent)) continue;
    fail("{}: mean absolute error {:.1f} % {}for {} left out, more than --max-error {}",
         source_name(config), row.mape, row.group == "all" ? "" : "of " + row.group + " ",
         held_out(config), *config.max_error_percent);
  }
}

std::vector<std::string> summary_lines(const TrainConfig& config, const TrainSummary& summary) {
  std::vector<std::string> lines = {learnt_line(summary)};
  const train::Accuracy& all = summary.accuracy.back();
  if (config.is_unvalidated() || all.count == 0) return lines;
  lines.push_back(
      fmt::format("accuracy on {} left out of training (what was measured is used as it "
                  "is, not predicted):",
                  held_out(config)));
  const auto add = [&](const std::string& what, const train::Accuracy& row) {
    lines.push_back(
        fmt::format("  {}: {:.0f} % within 10 % of the measured latency, mean absolute "
                    "error {:.1f} %",
                    what, row.within_10, row.mape));
  };
  add("atoms", all);
  for (const train::Accuracy& row : summary.accuracy) {
    if (row.group == "blocks") add("blocks", row);
    if (row.group == "models") add("whole models", row);
  }
  if (summary.unadapted && summary.unadapted->count > 0) {
    add(fmt::format("atoms by the predictor of {} as it is",
                    printable(summary.base_host.cpu_model())),
        *summary.unadapted);
    add("atoms by a predictor of these samples alone", *summary.from_scratch);
  }
  if (std::isfinite(all.repeat_within_10)) {
    lines.push_back(
        fmt::format("  the same atom measured twice: {:.0f} % within 10 % (no predictor "
                    "does better)",
                    all.repeat_within_10));
  }
  return lines;
}

std::string summary_json(const TrainConfig& config, const TrainSummary& summary) {
  Json table = Json::array();
  for (const train::Accuracy& row : summary.accuracy) table.push_back(accuracy_json(row));
  Json json = {{"host", summary.predictor.host().id()},
               {"configurations", summary.configurations},
               {"under_load", summary.loaded},
               {"unpaired", summary.unpaired},
               {"operators", summary.predictor.operators_size()},
               {"training_sha256", summary.predictor.training_sha256()},
               {"held_out", hold_out_name(config)},
               {"validation", table}};
  if (summary.unadapted) {
    // The word before adaptation: scripts read it.
    json["transfer"] = {{"base_host", printable(summary.base_host.id())},
                        {"unadapted", accuracy_json(*summary.unadapted)},
                        {"from_scratch", accuracy_json(*summary.from_scratch)}};
  }
  return json.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

std::string summary_html(const TrainConfig& config, const TrainSummary& summary) {
  train::ValidationReport report;
  report.title = fmt::format("Latency predictor: {} left out", held_out(config));
  report.subtitle = learnt_line(summary);
  const v1::Host& host = summary.predictor.host();
  report.facts = {{"host", fmt::format("{} ({}), {} cores", printable(host.cpu_model()),
                                       printable(host.id()), host.cores())},
                  {"LibTorch", printable(host.libtorch_version())},
                  {"BLAS", printable(host.blas())},
                  {"samples", source_name(config)},
                  {"training digest", summary.predictor.training_sha256()},
                  {"seed", fmt::format("{}", config.seed)}};
  for (const std::string& warning : summary.warnings()) report.facts.emplace_back("note", warning);
  report.table = summary.accuracy;
  report.outcomes = summary.outcomes;
  return train::validation_html(report);
}

}  // namespace adamec::tools
