#include "adamec/predict/trees.h"

#include <algorithm>
#include <array>
#include <cassert>
#include <cmath>
#include <limits>

#include "adamec/base/error.h"

namespace adamec::predict {
namespace {

constexpr std::size_t kAbreast = 8;
constexpr float kMaxLeaf = 1e6F;  // far above any logarithm; sums of leaves stay finite

}  // namespace

Trees::Trees(const v1::TreeEnsemble& message, std::span<const int> columns,
             const std::string& field)
    : base_(message.base_score()) {
  const int count = message.feature_size();
  if (message.threshold_size() != count || message.left_size() != count ||
      message.right_size() != count || message.missing_left_size() != count) {
    fail(
        "{}: arrays of different lengths: {} features, {} thresholds, {} left, {} right, {} "
        "missing_left",
        field, count, message.threshold_size(), message.left_size(), message.right_size(),
        message.missing_left_size());
  }
  if (!(std::abs(base_) <= kMaxLeaf)) {
    fail("{}.base_score: {}, expected at most {}", field, base_, kMaxLeaf);
  }
  if ((count == 0) != message.tree_start().empty()) {
    fail("{}: {} nodes in {} trees", field, count, message.tree_start_size());
  }
  nodes_.reserve(static_cast<std::size_t>(count));
  values_.reserve(static_cast<std::size_t>(count));
  std::uint64_t total = 0;  // nodes so far
  for (int tree = 0; tree < message.tree_start_size(); ++tree) {
    const std::string where = fmt::format("{}.tree_start[{}]", field, tree);
    const bool last = tree + 1 == message.tree_start_size();
    const std::uint64_t begin = message.tree_start(tree);
    const std::uint64_t end =
        last ? static_cast<std::uint64_t>(count) : message.tree_start(tree + 1);
    if (begin != total || end <= begin || end > static_cast<std::uint64_t>(count)) {
      fail("{}: tree of nodes {} to {}, expected to start at {} and end by {}", where, begin, end,
           total, count);
    }
    total = end;
    roots_.push_back(static_cast<std::uint32_t>(nodes_.size()));
    add_tree(message, columns, static_cast<int>(begin), static_cast<int>(end), field);
  }
}

void Trees::add_tree(const v1::TreeEnsemble& message, std::span<const int> columns, int begin,
                     int end, const std::string& where) {
  const auto count = static_cast<std::size_t>(end - begin);
  if (count > kMostNodes) {
    fail("{}: a tree of {} nodes, expected at most {}", where, count, kMostNodes);
  }
  // Level by level, siblings side by side: which node of the message is where.
  std::vector<std::size_t> order{0};
  std::vector<std::uint32_t> depths{0};
  std::vector<bool> placed(count, false);
  order.reserve(count);
  depths.reserve(count);
  for (std::size_t at = 0; at < order.size(); ++at) {
    const std::size_t here = order[at];
    const int i = begin + static_cast<int>(here);
    const int feature = message.feature(i);
    const float number = message.threshold(i);
    if (!std::isfinite(number)) {
      fail("{}.threshold[{}]: {}, expected a finite number", where, i, number);
    }
    if (feature == -1) {
      if (std::abs(number) > kMaxLeaf) {
        fail("{}.threshold[{}]: a leaf of {}, expected at most {}", where, i, number, kMaxLeaf);
      }
      // Whatever it looks at, it is less than this.
      nodes_.push_back({std::numeric_limits<float>::infinity(), 0, static_cast<std::uint16_t>(at)});
      values_.push_back(number);
      continue;
    }
    if (feature < 0 || static_cast<std::size_t>(feature) >= columns.size()) {
      fail("{}.feature[{}]: {}, expected -1 to {}", where, i, feature, columns.size() - 1);
    }
    for (const std::uint64_t child : {message.left(i), message.right(i)}) {
      // A child after its parent: no path can come back.
      if (child <= here || child >= count) {
        fail("{}: node {} has child {}, expected {} to {}", where, here, child, here + 1,
             count - 1);
      }
      if (placed[child]) fail("{}: node {} is the child of two", where, child);
      placed[child] = true;
      order.push_back(child);
      depths.push_back(depths[at] + 1);
    }
    const auto column = static_cast<std::size_t>(columns[static_cast<std::size_t>(feature)]);
    nodes_.push_back({number,
                      static_cast<std::uint16_t>(2 * column + (message.missing_left(i) ? 0 : 1)),
                      static_cast<std::uint16_t>(order.size() - 2)});
    values_.push_back(0);
  }
  depths_.push_back(depths.back());
}

float Trees::evaluate(std::span<const float> row) const {
  assert(row.size() <= kMostColumns);
  // Each number twice: what is missing is less than any threshold in one place, in the other not.
  std::array<float, 2 * kMostColumns> inputs;
  for (std::size_t i = 0; i < std::min(row.size(), kMostColumns); ++i) {
    constexpr float kInfinity = std::numeric_limits<float>::infinity();
    inputs[2 * i] = std::isnan(row[i]) ? -kInfinity : row[i];
    inputs[2 * i + 1] = std::isnan(row[i]) ? kInfinity : row[i];
  }
  // Without a branch: which way it goes cannot be foreseen.
  const auto next = [&inputs](const TreeNode* tree, std::uint32_t at) {
    const TreeNode node = tree[at];
    return node.left + static_cast<std::uint32_t>(!(inputs[node.input] < node.threshold));
  };
  float sum = base_;
  std::size_t tree = 0;
  // Side by side, as each step waits for memory; a path that has arrived stays at its leaf.
  for (; tree + kAbreast <= roots_.size(); tree += kAbreast) {
    const std::uint32_t* roots = &roots_[tree];
    std::array<std::uint32_t, kAbreast> at{};
    const std::uint32_t steps =
        *std::max_element(depths_.begin() + static_cast<std::ptrdiff_t>(tree),
                          depths_.begin() + static_cast<std::ptrdiff_t>(tree + kAbreast));
    for (std::uint32_t step = 0; step < steps; ++step) {
      for (std::size_t i = 0; i < kAbreast; ++i) at[i] = next(&nodes_[roots[i]], at[i]);
    }
    for (std::size_t i = 0; i < kAbreast; ++i) sum += values_[roots[i] + at[i]];
  }
  for (; tree < roots_.size(); ++tree) {
    std::uint32_t at = 0;
    for (std::uint32_t step = 0; step < depths_[tree]; ++step) at = next(&nodes_[roots_[tree]], at);
    sum += values_[roots_[tree] + at];
  }
  return sum;
}

}  // namespace adamec::predict
