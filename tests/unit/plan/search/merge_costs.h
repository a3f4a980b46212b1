#pragma once

#include <algorithm>
#include <string>
#include <vector>

#include "adamec/v1/costs.pb.h"

namespace adamec::testing {

// The cost graph whose atoms are blocks: their times and weights added up, tensors inside gone.
// `blocks`: the number of every atom's block, in the order of the first atoms.
inline v1::CostGraph merge_costs(const v1::CostGraph& message, const std::vector<int>& blocks) {
  v1::CostGraph merged = message;
  merged.clear_atoms();
  const int count = *std::max_element(blocks.begin(), blocks.end()) + 1;
  for (int block = 0; block < count; ++block) {
    v1::CostGraph::Atom* atom = merged.add_atoms();
    atom->set_id(std::to_string(block));
    for (int tier = 0; tier < message.tiers_size(); ++tier) atom->add_latency_ms(0);
    std::vector<std::string> made, needed;
    for (int i = 0; i < message.atoms_size(); ++i) {
      if (blocks[i] != block) continue;
      const v1::CostGraph::Atom& part = message.atoms(i);
      made.insert(made.end(), part.outputs().begin(), part.outputs().end());
      needed.insert(needed.end(), part.inputs().begin(), part.inputs().end());
      atom->set_weight_bytes(atom->weight_bytes() + part.weight_bytes());
      for (int tier = 0; tier < message.tiers_size(); ++tier) {
        atom->set_latency_ms(tier, atom->latency_ms(tier) + part.latency_ms(tier));
      }
    }
    std::sort(needed.begin(), needed.end());
    needed.erase(std::unique(needed.begin(), needed.end()), needed.end());
    for (const std::string& id : needed) {
      if (std::find(made.begin(), made.end(), id) == made.end()) atom->add_inputs(id);
    }
    for (const std::string& id : made) atom->add_outputs(id);
  }
  return merged;
}

}  // namespace adamec::testing
