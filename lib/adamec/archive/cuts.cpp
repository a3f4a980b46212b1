#include "adamec/archive/cuts.h"

#include <algorithm>

#include "adamec/archive/value.h"
#include "adamec/graph/reduction.h"

namespace adamec::archive {

Cuts possible_cuts(const v1::Manifest& manifest, const graph::AtomGraph& graph) {
  std::vector<graph::TensorRole> roles(graph.tensors().size());
  for (std::size_t i = 0; i < roles.size(); ++i) {
    const v1::TensorRole role = manifest.tensors(static_cast<int>(i)).role();
    roles[i].travels = role == v1::INPUT || role == v1::INTERMEDIATE;
  }
  for (const std::string& id : tensors_of(manifest.output())) {
    roles[graph.find_tensor(id).value()].result = true;
  }
  std::vector<char> alone;
  for (const v1::Atom& atom : manifest.atoms()) {
    alone.push_back(atom.kind() == v1::STATEFUL || atom.stateful());
  }
  Cuts cuts;
  cuts.blocks = graph::lossless_blocks(graph, roles, alone);
  for (const int block : cuts.blocks) cuts.block_count = std::max(cuts.block_count, block + 1);
  for (std::size_t i = 0; i < roles.size(); ++i) {
    const graph::Tensor& tensor = graph.tensors()[i];
    // What comes from outside or is returned may be on another tier than the atoms.
    bool crosses = roles[i].travels && (tensor.producer < 0 || roles[i].result);
    for (const int consumer : tensor.consumers) {
      crosses = crosses ||
                (tensor.producer >= 0 && cuts.blocks[consumer] != cuts.blocks[tensor.producer]);
    }
    cuts.may_be_cut.push_back(crosses ? 1 : 0);
  }
  return cuts;
}

}  // namespace adamec::archive
