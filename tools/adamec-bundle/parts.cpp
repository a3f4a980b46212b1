#include "tools/adamec-bundle/parts.h"

#include <map>

#include "adamec/base/error.h"

namespace adamec::tools {
namespace {

// The block of every atom in one plan.
std::vector<int> block_of_atoms(const v1::BundleRequest& request, int plan,
                                const archive::Reader& archive) {
  const graph::AtomGraph& graph = archive.graph();
  std::vector<int> block(graph.atoms().size(), -1);
  const auto& blocks = request.plans(plan).blocks();
  for (int i = 0; i < blocks.size(); ++i) {
    if (blocks[i].tier() >= static_cast<std::uint32_t>(request.tiers_size())) {
      fail("plan {}, block {}: there is no tier {}", plan, i, blocks[i].tier());
    }
    for (std::uint32_t atom : blocks[i].atoms()) {
      if (atom >= block.size()) fail("{}: there is no atom {}", archive.name(), atom);
      if (block[atom] >= 0) {
        fail("plan {}: atom '{}' is in two blocks", plan, printable(graph.atoms()[atom].id));
      }
      block[atom] = i;
    }
  }
  for (std::size_t atom = 0; atom < block.size(); ++atom) {
    const std::string id = printable(graph.atoms()[atom].id);
    if (block[atom] < 0) fail("plan {}: atom '{}' is in no block", plan, id);
    for (int before : graph.predecessors(static_cast<int>(atom))) {
      if (block[before] > block[atom]) {
        fail("plan {}: atom '{}' runs before '{}', whose result it needs", plan, id,
             printable(graph.atoms()[before].id));
      }
    }
  }
  return block;
}

}  // namespace

std::vector<BundlePart> make_parts(const v1::BundleRequest& request,
                                   const archive::Reader& archive) {
  const std::size_t atoms = archive.graph().atoms().size();
  std::vector<std::vector<int>> blocks(atoms);  // per atom, per plan
  for (int plan = 0; plan < request.plans_size(); ++plan) {
    const std::vector<int> of_plan = block_of_atoms(request, plan, archive);
    for (std::size_t atom = 0; atom < atoms; ++atom) blocks[atom].push_back(of_plan[atom]);
  }
  std::map<std::vector<int>, std::vector<int>> groups;  // in the order of execution
  for (std::size_t atom = 0; atom < atoms; ++atom) {
    groups[blocks[atom]].push_back(static_cast<int>(atom));
  }
  std::vector<BundlePart> parts;
  for (auto& [key, members] : groups) parts.push_back({std::move(members), key});
  return parts;
}

}  // namespace adamec::tools
