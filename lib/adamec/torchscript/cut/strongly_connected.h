#pragma once

#include <map>
#include <set>
#include <vector>

namespace adamec::torchscript {

// The strongly connected components of a directed graph, each node in exactly one of them.
// `edges`: the targets of every node; all targets are nodes, too. R. Tarjan, "Depth-first search
// and linear graph algorithms", SIAM J. Comput. 1 (1972), without recursion: graphs are deep.
[[nodiscard]] std::vector<std::vector<int>> strongly_connected(
    const std::map<int, std::set<int>>& edges);

}  // namespace adamec::torchscript
