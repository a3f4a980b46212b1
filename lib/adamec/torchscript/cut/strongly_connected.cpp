#include "adamec/torchscript/cut/strongly_connected.h"

#include <algorithm>
#include <utility>

namespace adamec::torchscript {
namespace {

class Tarjan {
 public:
  explicit Tarjan(const std::map<int, std::set<int>>& edges) : edges_(edges) {}

  std::vector<std::vector<int>> run() {
    for (const auto& [root, targets] : edges_) {
      if (reached_.count(root) == 0) search(root);
    }
    return std::move(components_);
  }

 private:
  struct Reached {
    int order = 0;  // in which nodes are entered, from 1 on
    int low = 0;    // the least order that is known to be reachable within the component
    bool open = false;
  };

  void enter(int node) {
    const int order = static_cast<int>(reached_.size()) + 1;
    reached_[node] = {order, order, true};
    open_.push_back(node);
    path_.emplace_back(node, edges_.at(node).begin());
  }

  void search(int root) {
    enter(root);
    while (!path_.empty()) {
      auto& [node, next] = path_.back();
      if (next == edges_.at(node).end()) {
        leave();
        continue;
      }
      Reached& from = reached_.at(node);
      const int target = *next++;
      const auto seen = reached_.find(target);
      if (seen == reached_.end()) {
        enter(target);
      } else if (seen->second.open) {
        from.low = std::min(from.low, seen->second.order);
      }
    }
  }

  // The last node of the path is done; where it is the first of its component, so is that.
  void leave() {
    const int done = path_.back().first;
    path_.pop_back();
    const Reached& mark = reached_.at(done);
    if (!path_.empty()) {
      Reached& parent = reached_.at(path_.back().first);
      parent.low = std::min(parent.low, mark.low);
    }
    if (mark.low != mark.order) return;
    auto& component = components_.emplace_back();
    do {
      component.push_back(open_.back());
      reached_.at(open_.back()).open = false;
      open_.pop_back();
    } while (component.back() != done);
  }

  const std::map<int, std::set<int>>& edges_;
  std::map<int, Reached> reached_;
  std::vector<int> open_;  // entered, but their component is not complete
  std::vector<std::pair<int, std::set<int>::const_iterator>> path_;
  std::vector<std::vector<int>> components_;
};

}  // namespace

std::vector<std::vector<int>> strongly_connected(const std::map<int, std::set<int>>& edges) {
  return Tarjan(edges).run();
}

}  // namespace adamec::torchscript
