#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace adamec::graph {

// Minimum s-t cuts of sparse networks with integer capacities.
//
// Push-relabel (Goldberg and Tarjan, "A new approach to the maximum-flow problem", J. ACM 35, 1988)
// in first-in first-out order, with exact labels from a breadth-first search at the start and from
// time to time, and the gap heuristic. Only the first phase runs: a maximum preflow is enough for
// the minimum cut. Arcs lie in one array, sorted by node.
//
// The network's shape is given once; capacities change from cut to cut.
class FlowNetwork {
 public:
  using Capacity = std::int64_t;

  // A pair of opposite arcs between two nodes.
  struct Arc {
    int from;
    int to;
  };
  struct Capacities {
    std::vector<Capacity> forward;   // per arc: from -> to
    std::vector<Capacity> backward;  // per arc: to -> from
    std::vector<Capacity> terminal;  // per node: > 0 from the source, < 0 to the sink
  };

  FlowNetwork(int nodes, std::span<const Arc> arcs);

  [[nodiscard]] int node_count() const { return node_count_; }
  [[nodiscard]] std::size_t arc_count() const { return arc_at_.size() / 2; }

  // The cut's capacity. sink_side[v] tells whether v lies on the sink's side; among the minimum
  // cuts this is the one with the fewest nodes there. All capacities of the first two lists are at
  // least 0; the sum of the positive terminals, and the sum of any arc's two, must fit into
  // Capacity.
  Capacity min_cut(const Capacities& capacities, std::vector<char>& sink_side);

  // After min_cut(): what is left of the capacities. Any cut costs the minimum plus what it cuts of
  // the rest: a node on the sink's side pays its excess, one on the source's side its rest to the
  // sink, and so do arcs. (Excess that never returned to the source stands for its arc from there.)
  [[nodiscard]] Capacity excess(int node) const { return excess_[node]; }
  [[nodiscard]] Capacity rest_to_sink(int node) const { return to_sink_[node]; }
  [[nodiscard]] Capacity rest_forward(std::size_t arc) const {
    return halves_[arc_at_[2 * arc]].residual;
  }
  [[nodiscard]] Capacity rest_backward(std::size_t arc) const {
    return halves_[arc_at_[2 * arc + 1]].residual;
  }

 private:
  struct Half {
    int to;
    int twin;  // index of the opposite half
    Capacity residual;
  };

  void reset(const Capacities& capacities);
  void relabel_all();
  void discharge(int node);
  void relabel(int node);
  void close_gap(int label);
  void enqueue(int node);

  int node_count_;
  std::vector<int> first_;   // per node: where its halves start; one more at the end
  std::vector<int> arc_at_;  // per arc: indices of its forward and backward half
  std::vector<Half> halves_;
  // State of one run.
  std::vector<Capacity> excess_;
  std::vector<Capacity> to_sink_;  // residual capacity to the sink
  std::vector<int> label_;         // lower bound of the distance to the sink; node_count_ + 1: none
  std::vector<int> current_;
  std::vector<int> label_count_;
  std::vector<int> queue_;  // circular
  std::size_t queue_head_ = 0;
  std::size_t queue_size_ = 0;
  std::vector<char> queued_;
  std::vector<int> search_;
  std::size_t work_ = 0;
  Capacity flow_ = 0;
};

}  // namespace adamec::graph
