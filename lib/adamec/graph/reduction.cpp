#include "adamec/graph/reduction.h"

#include <algorithm>
#include <cstdint>
#include <map>
#include <utility>

#include "adamec/graph/tensor_cut.h"

namespace adamec::graph {
namespace {

// Squares of the sizes of all sets that are refined: a minute or so.
constexpr std::uint64_t kMaxWork = 400'000'000;

// Sizes as integers in which a zero-sized tensor is smaller than any difference of the others.
// Empty when their sum is too large for the flow.
std::vector<std::int64_t> flow_sizes(const AtomGraph& graph) {
  constexpr std::uint64_t kMaxSum = std::uint64_t{1} << 61;
  std::uint64_t empty = 0;
  std::uint64_t sum = 0;
  for (const Tensor& tensor : graph.tensors()) {
    empty += tensor.bytes == 0;
    if (__builtin_add_overflow(sum, tensor.bytes, &sum)) return {};
  }
  const std::uint64_t unit = empty + 1;
  if (sum > kMaxSum / unit) return {};
  std::vector<std::int64_t> sizes;
  for (const Tensor& tensor : graph.tensors()) {
    sizes.push_back(tensor.bytes == 0 ? 1 : static_cast<std::int64_t>(tensor.bytes * unit));
  }
  return sizes;
}

// Splits a set into parts such that every lossless block inside it lies in one of them. All atoms
// of a block have the same largest cheapest part around them, in both directions: united with the
// block it would be no dearer. One part: the set itself is a lossless block.
std::vector<std::vector<int>> refine(const AtomGraph& graph, std::span<const TensorRole> roles,
                                     std::span<const std::int64_t> sizes,
                                     const std::vector<int>& atoms) {
  TensorCut cut(graph, roles, sizes, atoms);
  std::map<std::pair<std::vector<char>, std::vector<char>>, std::vector<int>> parts;
  for (std::size_t i = 0; i < atoms.size(); ++i) {
    const int position = static_cast<int>(i);
    parts[{cut.least_upload(position), cut.least_download(position)}].push_back(atoms[i]);
  }
  std::vector<std::vector<int>> result;
  for (auto& [sides, part] : parts) result.push_back(std::move(part));
  return result;
}

}  // namespace

std::vector<int> lossless_blocks(const AtomGraph& graph, std::span<const TensorRole> roles,
                                 std::span<const char> alone) {
  const std::size_t count = graph.atoms().size();
  std::vector<int> first(count);  // for every atom the first atom of its block
  std::vector<int> free;
  for (std::size_t i = 0; i < count; ++i) {
    first[i] = static_cast<int>(i);
    if (alone.empty() || alone[i] == 0) free.push_back(first[i]);
  }
  const std::vector<std::int64_t> sizes = flow_sizes(graph);
  std::vector<std::vector<int>> open;
  if (!sizes.empty() && count <= kMaxReducedAtoms) open.push_back(std::move(free));
  std::uint64_t work = 0;
  while (!open.empty()) {
    const std::vector<int> atoms = std::move(open.back());
    open.pop_back();
    const std::uint64_t size = atoms.size();
    if (size < 2 || work + size * size > kMaxWork) continue;
    work += size * size;
    auto parts = refine(graph, roles, sizes, atoms);
    if (parts.size() == 1) {
      for (const int atom : atoms) first[atom] = atoms.front();
    } else {
      for (auto& part : parts) open.push_back(std::move(part));
    }
  }
  std::vector<int> blocks(count);
  int next = 0;
  for (std::size_t i = 0; i < count; ++i) {
    blocks[i] = first[i] == static_cast<int>(i) ? next++ : blocks[first[i]];
  }
  return blocks;
}

const std::vector<std::string>& reduction_assumptions() {
  static const std::vector<std::string> assumptions = {
      "there are two tiers, and atoms run one after another",
      "no atom that is merged with others is slower on the faster tier than on the other tier",
      "memory limits and pins leave room for whole blocks on the faster tier",
      "a plan costs its atoms' times, each tensor's bytes over the bandwidth, and latency per "
      "move"};
  return assumptions;
}

}  // namespace adamec::graph
