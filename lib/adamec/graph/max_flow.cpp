#include "adamec/graph/max_flow.h"

#include <algorithm>
#include <cassert>

namespace adamec::graph {
namespace {

// Work (arcs looked at) between two searches for exact labels, per node and arc.
constexpr std::size_t kRelabelFactor = 2;

}  // namespace

FlowNetwork::FlowNetwork(int nodes, std::span<const Arc> arcs)
    : node_count_(nodes),
      first_(static_cast<std::size_t>(nodes) + 1, 0),
      arc_at_(2 * arcs.size()),
      halves_(2 * arcs.size()),
      excess_(nodes),
      to_sink_(nodes),
      label_(nodes),
      current_(nodes),
      label_count_(static_cast<std::size_t>(nodes) + 2),
      queue_(static_cast<std::size_t>(nodes) + 1),
      queued_(nodes),
      search_(nodes) {
  for (const Arc& arc : arcs) {
    ++first_[arc.from + 1];
    ++first_[arc.to + 1];
  }
  for (int node = 0; node < nodes; ++node) first_[node + 1] += first_[node];
  std::vector<int> next(first_.begin(), first_.end() - 1);
  for (std::size_t i = 0; i < arcs.size(); ++i) {
    const int forward = next[arcs[i].from]++;
    const int backward = next[arcs[i].to]++;
    halves_[forward] = {arcs[i].to, backward, 0};
    halves_[backward] = {arcs[i].from, forward, 0};
    arc_at_[2 * i] = forward;
    arc_at_[2 * i + 1] = backward;
  }
}

void FlowNetwork::reset(const Capacities& capacities) {
  for (std::size_t i = 0; i < arc_count(); ++i) {
    halves_[arc_at_[2 * i]].residual = capacities.forward[i];
    halves_[arc_at_[2 * i + 1]].residual = capacities.backward[i];
  }
  for (int node = 0; node < node_count_; ++node) {
    excess_[node] = std::max<Capacity>(capacities.terminal[node], 0);
    to_sink_[node] = std::max<Capacity>(-capacities.terminal[node], 0);
  }
  flow_ = 0;
}

void FlowNetwork::enqueue(int node) {
  if (queued_[node]) return;
  queued_[node] = 1;
  std::size_t tail = queue_head_ + queue_size_++;
  if (tail >= queue_.size()) tail -= queue_.size();
  queue_[tail] = node;
}

// Exact distances to the sink; nodes that cannot reach it leave the game.
void FlowNetwork::relabel_all() {
  const int unreachable = node_count_ + 1;
  std::fill(label_.begin(), label_.end(), unreachable);
  std::fill(label_count_.begin(), label_count_.end(), 0);
  std::size_t found = 0;
  for (int node = 0; node < node_count_; ++node) {
    if (to_sink_[node] > 0) {
      label_[node] = 1;
      search_[found++] = node;
    }
  }
  for (std::size_t i = 0; i < found; ++i) {
    const int node = search_[i];
    ++label_count_[label_[node]];
    for (int at = first_[node]; at < first_[node + 1]; ++at) {
      const int from = halves_[at].to;
      if (label_[from] == unreachable && halves_[halves_[at].twin].residual > 0) {
        label_[from] = label_[node] + 1;
        search_[found++] = from;
      }
    }
  }
  std::copy(first_.begin(), first_.end() - 1, current_.begin());
  std::fill(queued_.begin(), queued_.end(), 0);
  queue_head_ = queue_size_ = 0;
  for (std::size_t i = 0; i < found; ++i) {
    if (excess_[search_[i]] > 0) enqueue(search_[i]);
  }
  work_ = 0;
}

// No node is left at `label`: those above it cannot reach the sink.
void FlowNetwork::close_gap(int label) {
  for (int node = 0; node < node_count_; ++node) {
    if (label_[node] > label && label_[node] <= node_count_) {
      --label_count_[label_[node]];
      label_[node] = node_count_ + 1;
    }
  }
  work_ += static_cast<std::size_t>(node_count_);
}

void FlowNetwork::relabel(int node) {
  int lowest = node_count_;
  for (int at = first_[node]; at < first_[node + 1]; ++at) {
    if (halves_[at].residual > 0) lowest = std::min(lowest, label_[halves_[at].to]);
  }
  work_ += static_cast<std::size_t>(first_[node + 1] - first_[node]);
  const int old = label_[node];
  label_[node] = lowest + 1;  // node_count_ + 1 when it cannot reach the sink
  current_[node] = first_[node];
  ++label_count_[label_[node]];
  if (--label_count_[old] == 0) close_gap(old);
}

void FlowNetwork::discharge(int node) {
  if (to_sink_[node] > 0) {
    const Capacity pushed = std::min(excess_[node], to_sink_[node]);
    to_sink_[node] -= pushed;
    excess_[node] -= pushed;
    flow_ += pushed;
  }
  while (excess_[node] > 0 && label_[node] <= node_count_) {
    int& at = current_[node];
    for (; at < first_[node + 1]; ++at) {
      Half& half = halves_[at];
      ++work_;
      if (half.residual <= 0 || label_[half.to] + 1 != label_[node]) continue;
      const Capacity pushed = std::min(excess_[node], half.residual);
      half.residual -= pushed;
      halves_[half.twin].residual += pushed;
      excess_[node] -= pushed;
      excess_[half.to] += pushed;
      enqueue(half.to);
      if (excess_[node] == 0) return;
    }
    relabel(node);
  }
}

FlowNetwork::Capacity FlowNetwork::min_cut(const Capacities& capacities,
                                           std::vector<char>& sink_side) {
  assert(capacities.forward.size() == arc_count() && capacities.backward.size() == arc_count());
  assert(capacities.terminal.size() == static_cast<std::size_t>(node_count_));
  reset(capacities);
  relabel_all();
  const std::size_t limit =
      kRelabelFactor * (halves_.size() + static_cast<std::size_t>(node_count_));
  while (queue_size_ > 0) {
    const int node = queue_[queue_head_];
    if (++queue_head_ == queue_.size()) queue_head_ = 0;
    --queue_size_;
    queued_[node] = 0;
    if (label_[node] <= node_count_) discharge(node);
    if (work_ > limit) relabel_all();
  }
  relabel_all();
  sink_side.resize(static_cast<std::size_t>(node_count_));
  for (int node = 0; node < node_count_; ++node) sink_side[node] = label_[node] <= node_count_;
  return flow_;
}

}  // namespace adamec::graph
