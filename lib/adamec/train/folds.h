#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "adamec/train/cross_validation.h"
#include "adamec/train/training_data.h"

namespace adamec::train {

// Marks of what a fold leaves out of training, and of what it predicts; by index in TrainingData.
struct Fold {
  std::vector<char> measurements;
  std::vector<char> slowdowns;
  std::vector<char> composites;         // that the fold predicts
  std::vector<char> hidden_composites;  // that training must not see either
};

// Keys of the same work (work_key), per configuration.
class WorkKeys {
 public:
  explicit WorkKeys(const TrainingData& data);

  [[nodiscard]] const std::string& of(const v1::Sample& sample) const {
    return by_signature_.at(sample.signature());
  }
  [[nodiscard]] const std::string& of_part(const std::string& signature) const {
    return by_signature_.at(signature);
  }

 private:
  std::map<std::string, std::string> by_signature_;
};

struct Folds {
  std::vector<Fold> folds;
  std::map<std::string, std::size_t> fold_of_work;  // kConfig only: by work key
};

[[nodiscard]] Folds folds_of(const TrainingData& data, const WorkKeys& keys, HoldOut hold_out,
                             std::uint64_t seed);

}  // namespace adamec::train
