#pragma once

#include <cstddef>
#include <map>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "adamec/train/cross_validation.h"

namespace adamec::train {

// The 95 % quantile of log errors as split-conformal prediction takes it: a new error, drawn like
// these, is below with at least 95 % probability. With fewer than 19, where there is no such
// bound: the largest, at least a factor of two. Never below 0.
// (Papadopoulos et al., "Inductive Confidence Machines for Regression", ECML 2002.)
[[nodiscard]] double conformal_q95(std::vector<double> log_errors);

// Error bounds learnt from outcomes: operators with enough of them have their own, per number of
// threads (Mondrian conformal prediction: Vovk et al., 2003); the others share one. Blocks, whole
// models, and atoms under load have one each.
class ErrorBounds {
 public:
  // Of all outcomes but those of fold `without`.
  static constexpr std::size_t kNoFold = static_cast<std::size_t>(-1);
  explicit ErrorBounds(std::span<const Outcome> outcomes, std::size_t without = kNoFold);

  [[nodiscard]] double of(const Outcome& outcome) const;

  [[nodiscard]] const std::map<std::pair<std::string, unsigned>, double>& operators() const {
    return operators_;
  }
  [[nodiscard]] double others() const { return others_; }
  [[nodiscard]] double all_atoms() const { return all_atoms_; }
  [[nodiscard]] double loaded() const { return loaded_; }
  [[nodiscard]] double blocks() const { return blocks_; }
  [[nodiscard]] double models() const { return models_; }
  [[nodiscard]] bool empty() const { return empty_; }

 private:
  std::map<std::pair<std::string, unsigned>, double> operators_;
  double others_ = 0;
  double all_atoms_ = 0;
  double loaded_ = 0;
  double blocks_ = 0;
  double models_ = 0;
  bool empty_ = true;
};

}  // namespace adamec::train
