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
  static constexpr std::size_t kMostColumns = 64;
  static constexpr std::size_t kMostNodes = 65535;  // of one tree

  Trees() = default;
  // Throws Error, prefixed by `field` ("a.predictor: residual"), unless every tree is one: arrays
  // of the same length, children after their parent and within the tree, each the child of one,
  // known features, finite numbers. `columns[f]` is where a row holds feature f of the message.
  Trees(const v1::TreeEnsemble& message, std::span<const int> columns, const std::string& field);

  [[nodiscard]] bool empty() const { return roots_.empty(); }
  // The row must hold all columns given to the constructor, and at most kMostColumns.
  [[nodiscard]] float evaluate(std::span<const float> row) const;

 private:
  // Siblings lie side by side, so that a step is one comparison and an addition.
  struct TreeNode {
    float threshold;
    std::uint16_t input;  // which of inputs() it looks at
    std::uint16_t left;   // within the tree; the right child follows it; a leaf leads to itself
  };

  void add_tree(const v1::TreeEnsemble& message, std::span<const int> columns, int begin, int end,
                const std::string& where);

  float base_ = 0;
  std::vector<std::uint32_t> roots_;
  std::vector<std::uint32_t> depths_;  // of each tree: steps from its root to its farthest leaf
  std::vector<TreeNode> nodes_;
  std::vector<float> values_;  // of the nodes that are leaves
};

}  // namespace adamec::predict
