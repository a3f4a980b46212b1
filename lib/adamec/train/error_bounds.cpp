#include "adamec/train/error_bounds.h"

#include <algorithm>
#include <cmath>

namespace adamec::train {
namespace {

constexpr double kLargestBound = 40;  // evaluators take no more
// Fewer errors give a bound that is the largest or second largest of them: too much chance in it.
constexpr std::size_t kLeastOfOperator = 59;

}  // namespace

double conformal_q95(std::vector<double> log_errors) {
  const double least_bound = std::log(2.0);
  if (log_errors.empty()) return least_bound;
  std::sort(log_errors.begin(), log_errors.end());
  const auto rank =
      static_cast<std::size_t>(std::ceil(0.95 * static_cast<double>(log_errors.size() + 1)));
  if (rank > log_errors.size()) return std::clamp(log_errors.back(), least_bound, kLargestBound);
  return std::clamp(log_errors[rank - 1], 0.0, kLargestBound);
}

ErrorBounds::ErrorBounds(std::span<const Outcome> outcomes, std::size_t without) {
  std::map<std::pair<std::string, unsigned>, std::vector<double>> by_operator;
  std::vector<double> atoms;
  std::vector<double> loaded;
  std::vector<double> blocks;
  std::vector<double> models;
  for (const Outcome& outcome : outcomes) {
    if (outcome.fold == without) continue;
    empty_ = false;
    const double error = outcome.log_error();
    if (outcome.subject == Outcome::Subject::kModel) {
      models.push_back(error);
    } else if (outcome.subject == Outcome::Subject::kBlock) {
      blocks.push_back(error);
    } else if (outcome.cpu_load > 0) {
      loaded.push_back(error);
    } else {
      by_operator[{outcome.operator_key, outcome.threads}].push_back(error);
      atoms.push_back(error);
    }
  }
  std::vector<double> rest;
  for (const auto& [key, errors] : by_operator) {
    if (errors.size() >= kLeastOfOperator) {
      operators_[key] = conformal_q95(errors);
    } else {
      rest.insert(rest.end(), errors.begin(), errors.end());
    }
  }
  all_atoms_ = conformal_q95(std::move(atoms));
  others_ = rest.empty() ? all_atoms_ : conformal_q95(std::move(rest));
  loaded_ = conformal_q95(std::move(loaded));
  blocks_ = conformal_q95(std::move(blocks));
  models_ = conformal_q95(std::move(models));
}

double ErrorBounds::of(const Outcome& outcome) const {
  if (outcome.subject == Outcome::Subject::kModel) return models_;
  if (outcome.subject == Outcome::Subject::kBlock) return blocks_;
  if (outcome.cpu_load > 0) return loaded_;
  const auto own = operators_.find({outcome.operator_key, outcome.threads});
  return own == operators_.end() ? others_ : own->second;
}

}  // namespace adamec::train
