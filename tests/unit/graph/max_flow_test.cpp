#include "adamec/graph/max_flow.h"

#include <gtest/gtest.h>

#include <boost/graph/adjacency_list.hpp>
#include <boost/graph/edmonds_karp_max_flow.hpp>
#include <random>

namespace adamec::graph {
namespace {

using Capacity = FlowNetwork::Capacity;

struct Network {
  int nodes = 0;
  std::vector<FlowNetwork::Arc> arcs;
  FlowNetwork::Capacities capacities;
};

// Chains with shortcuts when `long_chain`, otherwise arcs between any two nodes.
Network random_network(std::mt19937& random, bool long_chain) {
  const auto pick = [&](int low, int high) {
    return std::uniform_int_distribution<int>(low, high)(random);
  };
  Network network;
  network.nodes = pick(1, long_chain ? 120 : 30);
  const int scale = pick(0, 1) == 0 ? 4 : 1000;
  const int arcs = network.nodes == 1 ? 0 : pick(0, 4 * network.nodes);
  for (int i = 0; i < arcs; ++i) {
    const int from = pick(0, network.nodes - 1);
    int to = long_chain ? from + pick(1, 3) : pick(0, network.nodes - 1);
    if (to >= network.nodes || to == from) continue;
    network.arcs.push_back({from, to});
    network.capacities.forward.push_back(pick(0, scale));
    network.capacities.backward.push_back(pick(0, 2) == 0 ? 0 : pick(0, scale));
  }
  for (int i = 0; i < network.nodes; ++i) {
    network.capacities.terminal.push_back(pick(0, 2) == 0 ? 0 : pick(-scale, scale));
  }
  return network;
}

// Boost.Graph's answer to the same question, by paths: its preflows refuse sources without arcs.
Capacity oracle(const Network& network) {
  using namespace boost;
  using Traits = adjacency_list_traits<vecS, vecS, directedS>;
  using Graph =
      adjacency_list<vecS, vecS, directedS,
                     property<vertex_color_t, default_color_type,
                              property<vertex_predecessor_t, Traits::edge_descriptor>>,
                     property<edge_capacity_t, Capacity,
                              property<edge_residual_capacity_t, Capacity,
                                       property<edge_reverse_t, Traits::edge_descriptor>>>>;
  Graph graph(network.nodes + 2);
  auto capacity = get(edge_capacity, graph);
  auto reverse = get(edge_reverse, graph);
  const auto add = [&](int from, int to, Capacity forward, Capacity backward) {
    const auto there = add_edge(from, to, graph).first;
    const auto back = add_edge(to, from, graph).first;
    capacity[there] = forward;
    capacity[back] = backward;
    reverse[there] = back;
    reverse[back] = there;
  };
  for (std::size_t i = 0; i < network.arcs.size(); ++i) {
    add(network.arcs[i].from, network.arcs[i].to, network.capacities.forward[i],
        network.capacities.backward[i]);
  }
  const int source = network.nodes;
  const int sink = network.nodes + 1;
  for (int i = 0; i < network.nodes; ++i) {
    const Capacity terminal = network.capacities.terminal[i];
    if (terminal > 0) add(source, i, terminal, 0);
    if (terminal < 0) add(i, sink, -terminal, 0);
  }
  return edmonds_karp_max_flow(graph, source, sink);
}

Capacity value_of(const Network& network, const std::vector<char>& sink_side) {
  Capacity value = 0;
  for (std::size_t i = 0; i < network.arcs.size(); ++i) {
    const bool from = sink_side[network.arcs[i].from];
    const bool to = sink_side[network.arcs[i].to];
    if (!from && to) value += network.capacities.forward[i];
    if (from && !to) value += network.capacities.backward[i];
  }
  for (int i = 0; i < network.nodes; ++i) {
    const Capacity terminal = network.capacities.terminal[i];
    if (sink_side[i] && terminal > 0) value += terminal;
    if (!sink_side[i] && terminal < 0) value -= terminal;
  }
  return value;
}

TEST(MaxFlow, CutsEqualBoostOnRandomNetworks) {
  for (unsigned seed = 1; seed <= 3000; ++seed) {
    SCOPED_TRACE(seed);
    std::mt19937 random(seed);
    const Network network = random_network(random, seed % 2 == 0);
    FlowNetwork flow(network.nodes, network.arcs);
    std::vector<char> sink_side;
    const Capacity cut = flow.min_cut(network.capacities, sink_side);
    ASSERT_EQ(cut, oracle(network));
    ASSERT_EQ(cut, value_of(network, sink_side));
  }
}

TEST(MaxFlow, SolvesAgainAfterCapacitiesChange) {
  std::mt19937 random(7);
  Network network = random_network(random, true);
  FlowNetwork flow(network.nodes, network.arcs);
  std::vector<char> sink_side;
  for (int round = 0; round < 200; ++round) {
    for (auto& terminal : network.capacities.terminal) {
      terminal = std::uniform_int_distribution<int>(-50, 50)(random);
    }
    ASSERT_EQ(flow.min_cut(network.capacities, sink_side), oracle(network)) << round;
  }
}

TEST(MaxFlow, LongChainCarriesHugeCapacities) {
  constexpr int kNodes = 20000;
  constexpr Capacity kHuge = Capacity{1} << 60;
  Network network;
  network.nodes = kNodes;
  for (int i = 0; i + 1 < kNodes; ++i) {
    network.arcs.push_back({i, i + 1});
    network.capacities.forward.push_back(i == kNodes / 2 ? 12345 : kHuge);
    network.capacities.backward.push_back(0);
  }
  network.capacities.terminal.assign(kNodes, 0);
  network.capacities.terminal.front() = kHuge;
  network.capacities.terminal.back() = -kHuge;
  FlowNetwork flow(network.nodes, network.arcs);
  std::vector<char> sink_side;
  EXPECT_EQ(flow.min_cut(network.capacities, sink_side), 12345);
  EXPECT_FALSE(sink_side[kNodes / 2]);
  EXPECT_TRUE(sink_side[kNodes / 2 + 1]);
}

TEST(MaxFlow, NoNodesNoFlow) {
  FlowNetwork flow(0, {});
  std::vector<char> sink_side{1, 1};
  EXPECT_EQ(flow.min_cut({}, sink_side), 0);
  EXPECT_TRUE(sink_side.empty());
}

}  // namespace
}  // namespace adamec::graph
