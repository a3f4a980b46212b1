#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "adamec/v1/predictor.pb.h"

namespace adamec::predict {

// Gradient-boosted regression trees, flattened. Gives exactly XGBoost's numbers: leaves are added
// in float, in tree order; a feature goes left when it is below the threshold; a missing one (NaN)
// goes where training sent it.
class Trees {
 public:
  Trees() = default;
  // Throws Error, prefixed by `field` ("a.predictor: residual"), unless every tree is one: arrays
  // of the same length, children after their parent and within the tree, known features, finite
  // numbers. `columns[f]` is where a row holds feature f of the message.
  Trees(const v1::TreeEnsemble& message, std::span<const int> columns, const std::string& field);

  bool empty() const { return roots_.empty(); }
  // The row must hold all columns given to the constructor.
  float evaluate(std::span<const float> row) const;

 private:
  struct Node {
    float value;  // threshold, or a leaf's value
    std::int16_t column;
    bool missing_left;
    std::uint32_t left;  // index in nodes_; a leaf leads to itself
    std::uint32_t right;
  };

  void add_tree(const v1::TreeEnsemble& message, std::span<const int> columns, int begin, int end,
                const std::string& where);
  std::uint32_t next(std::uint32_t at, const float* row) const;

  float base_ = 0;
  std::vector<std::uint32_t> roots_;
  std::vector<std::uint32_t> depths_;  // of each tree: steps from its root to its farthest leaf
  std::vector<Node> nodes_;
};

}  // namespace adamec::predict
