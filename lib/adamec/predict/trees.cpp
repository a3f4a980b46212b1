#include "adamec/predict/trees.h"

#include <algorithm>
#include <array>
#include <cmath>

#include "adamec/base/error.h"

namespace adamec::predict {
namespace {

constexpr std::size_t kAbreast = 4;
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
  for (int tree = 0; tree < message.tree_start_size(); ++tree) {
    const std::string where = fmt::format("{}.tree_start[{}]", field, tree);
    const bool last = tree + 1 == message.tree_start_size();
    const std::uint64_t begin = message.tree_start(tree);
    const std::uint64_t end =
        last ? static_cast<std::uint64_t>(count) : message.tree_start(tree + 1);
    if (begin != nodes_.size() || end <= begin || end > static_cast<std::uint64_t>(count)) {
      fail("{}: tree of nodes {} to {}, expected to start at {} and end by {}", where, begin, end,
           nodes_.size(), count);
    }
    roots_.push_back(static_cast<std::uint32_t>(begin));
    add_tree(message, columns, static_cast<int>(begin), static_cast<int>(end), field);
  }
}

void Trees::add_tree(const v1::TreeEnsemble& message, std::span<const int> columns, int begin,
                     int end, const std::string& where) {
  std::vector<std::uint32_t> depths(static_cast<std::size_t>(end - begin), 0);  // of the nodes
  for (int i = begin; i < end; ++i) {
    const int feature = message.feature(i);
    if (!std::isfinite(message.threshold(i))) {
      fail("{}.threshold[{}]: {}, expected a finite number", where, i, message.threshold(i));
    }
    if (feature == -1 && std::abs(message.threshold(i)) > kMaxLeaf) {
      fail("{}.threshold[{}]: a leaf of {}, expected at most {}", where, i, message.threshold(i),
           kMaxLeaf);
    }
    const auto self = static_cast<std::uint32_t>(i);
    Node node{message.threshold(i), 0, message.missing_left(i), self, self};
    if (feature != -1) {
      if (feature < 0 || static_cast<std::size_t>(feature) >= columns.size()) {
        fail("{}.feature[{}]: {}, expected -1 to {}", where, i, feature, columns.size() - 1);
      }
      // A child after its parent: no path can come back.
      for (const std::uint64_t child : {message.left(i), message.right(i)}) {
        const auto here = static_cast<std::uint64_t>(i - begin);
        if (child <= here || child >= static_cast<std::uint64_t>(end - begin)) {
          fail("{}: node {} has child {}, expected {} to {}", where, i, child, here + 1,
               end - begin - 1);
        }
      }
      node.column = static_cast<std::int16_t>(columns[static_cast<std::size_t>(feature)]);
      node.left = static_cast<std::uint32_t>(begin) + message.left(i);
      node.right = static_cast<std::uint32_t>(begin) + message.right(i);
      const std::uint32_t below = depths[static_cast<std::size_t>(i - begin)] + 1;
      for (const std::uint32_t child : {message.left(i), message.right(i)}) {
        depths[child] = std::max(depths[child], below);
      }
    }
    nodes_.push_back(node);
  }
  depths_.push_back(*std::max_element(depths.begin(), depths.end()));
}

std::uint32_t Trees::next(std::uint32_t at, const float* row) const {
  const Node& node = nodes_[at];
  const float value = row[node.column];
  // Without a branch: which way it goes cannot be foreseen.
  const bool left = (value < node.value) | (std::isnan(value) & node.missing_left);
  return left ? node.left : node.right;
}

float Trees::evaluate(std::span<const float> row) const {
  float sum = base_;
  std::size_t tree = 0;
  // Side by side, as each step waits for memory; a path that has arrived stays at its leaf.
  for (; tree + kAbreast <= roots_.size(); tree += kAbreast) {
    std::array<std::uint32_t, kAbreast> at;
    std::copy_n(roots_.begin() + static_cast<std::ptrdiff_t>(tree), kAbreast, at.begin());
    const std::uint32_t steps =
        *std::max_element(depths_.begin() + static_cast<std::ptrdiff_t>(tree),
                          depths_.begin() + static_cast<std::ptrdiff_t>(tree + kAbreast));
    for (std::uint32_t step = 0; step < steps; ++step) {
      for (std::uint32_t& node : at) node = next(node, row.data());
    }
    for (const std::uint32_t node : at) sum += nodes_[node].value;
  }
  for (; tree < roots_.size(); ++tree) {
    std::uint32_t at = roots_[tree];
    for (std::uint32_t step = 0; step < depths_[tree]; ++step) at = next(at, row.data());
    sum += nodes_[at].value;
  }
  return sum;
}

}  // namespace adamec::predict
