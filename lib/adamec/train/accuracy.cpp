#include "adamec/train/accuracy.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <utility>

#include "adamec/base/text_table.h"
#include "adamec/train/error_bounds.h"
#include "adamec/train/statistics.h"

namespace adamec::train {
namespace {

constexpr const char* kSubjects[] = {"all", "blocks", "models"};
constexpr double kNothing = std::numeric_limits<double>::quiet_NaN();

double share_within(const std::vector<double>& errors, double limit) {
  if (errors.empty()) return kNothing;
  const auto inside =
      std::count_if(errors.begin(), errors.end(), [&](double e) { return e <= limit; });
  return 100.0 * static_cast<double>(inside) / static_cast<double>(errors.size());
}

double mean(const std::vector<double>& values) {
  if (values.empty()) return kNothing;
  double sum = 0;
  for (const double value : values) sum += value;
  return sum / static_cast<double>(values.size());
}

// Per fold, the error bounds that the other folds give.
std::vector<ErrorBounds> bounds_of_folds(std::span<const Outcome> outcomes) {
  std::size_t folds = 0;
  for (const Outcome& outcome : outcomes) folds = std::max(folds, outcome.fold + 1);
  std::vector<ErrorBounds> bounds;
  for (std::size_t fold = 0; fold < folds; ++fold) bounds.emplace_back(outcomes, fold);
  return bounds;
}

Accuracy accuracy_of(const std::string& group, const std::vector<const Outcome*>& outcomes,
                     const std::vector<ErrorBounds>& bounds) {
  std::vector<double> errors;
  std::vector<double> squares;
  std::vector<double> repeats;
  std::vector<double> covered;
  for (const Outcome* outcome : outcomes) {
    const double error = std::abs(outcome->predicted_us / outcome->measured_us - 1);
    errors.push_back(error);
    squares.push_back(error * error);
    if (outcome->repeat_ratio > 0) repeats.push_back(std::abs(outcome->repeat_ratio - 1));
    const ErrorBounds& bound = bounds[outcome->fold];
    if (!bound.empty()) covered.push_back(outcome->log_error() <= bound.of(*outcome) ? 100 : 0);
  }
  return {group,
          errors.size(),
          share_within(errors, 0.05),
          share_within(errors, 0.10),
          share_within(errors, 0.15),
          100 * mean(errors),
          100 * median(errors),
          100 * std::sqrt(mean(squares)),
          mean(covered),
          share_within(repeats, 0.05),
          share_within(repeats, 0.10),
          100 * mean(repeats)};
}

std::string context_name(unsigned threads, double load) {
  std::string name = fmt::format("{} thread{}", threads, threads == 1 ? "" : "s");
  if (load > 0) name += fmt::format(", load {}", load);
  return name;
}

}  // namespace

std::vector<Accuracy> accuracy_table(std::span<const Outcome> outcomes) {
  using Group = std::vector<const Outcome*>;
  std::map<std::string, Group> by_operator;
  std::map<std::pair<double, unsigned>, Group> by_context[3];  // by subject
  Group by_subject[3];
  for (const Outcome& outcome : outcomes) {
    const auto subject = static_cast<std::size_t>(outcome.subject);
    if (subject == 0) by_operator[outcome.operator_key].push_back(&outcome);
    by_context[subject][{outcome.cpu_load, outcome.threads}].push_back(&outcome);
    by_subject[subject].push_back(&outcome);
  }
  const std::vector<ErrorBounds> bounds = bounds_of_folds(outcomes);
  std::vector<Accuracy> table;
  for (const auto& [name, group] : by_operator) table.push_back(accuracy_of(name, group, bounds));
  for (std::size_t subject = 0; subject < 3; ++subject) {
    const std::string prefix = subject == 0 ? "" : std::string(kSubjects[subject]) + ", ";
    for (const auto& [context, group] : by_context[subject]) {
      table.push_back(
          accuracy_of(prefix + context_name(context.second, context.first), group, bounds));
    }
  }
  for (const std::size_t subject : {1, 2, 0}) {
    if (by_subject[subject].empty() && subject != 0) continue;
    table.push_back(accuracy_of(kSubjects[subject], by_subject[subject], bounds));
  }
  return table;
}

std::string accuracy_text(std::span<const Accuracy> table) {
  using Align = TextTable::Align;
  TextTable text({{"left out", Align::kLeft},
                  {"count", Align::kRight},
                  {"within 5 %", Align::kRight},
                  {"10 %", Align::kRight},
                  {"15 %", Align::kRight},
                  {"MAPE", Align::kRight},
                  {"median", Align::kRight},
                  {"RMSPE", Align::kRight},
                  {"below p95", Align::kRight},
                  {"repeats in 10 %", Align::kRight}});
  const auto number = [](double value) {
    return std::isnan(value) ? std::string("-") : fmt::format("{:.1f}", value);
  };
  for (const Accuracy& row : table) {
    if (row.count == 0 && table.size() > 1) continue;
    text.add_row({row.group, fmt::format("{}", row.count), number(row.within_5),
                  number(row.within_10), number(row.within_15), number(row.mape),
                  number(row.median_ape), number(row.rmspe), number(row.p95_coverage),
                  number(row.repeat_within_10)});
  }
  return text.str();
}

}  // namespace adamec::train
