#include "adamec/torchscript/split/merge.h"

#include <algorithm>
#include <unordered_map>

#include "adamec/archive/cuts.h"
#include "adamec/archive/manifest.h"
#include "adamec/archive/value.h"
#include "adamec/base/sha256.h"
#include "adamec/graph/reduction.h"
#include "adamec/torchscript/blocks/combine.h"

namespace adamec::torchscript {
namespace {

using Members = std::vector<int>;  // atoms of a block, in execution order

// The blocks so that producers come first.
std::vector<Members> blocks_in_order(const v1::Manifest& manifest, const graph::AtomGraph& graph) {
  const archive::Cuts cuts = archive::possible_cuts(manifest, graph);
  std::vector<Members> blocks(static_cast<std::size_t>(cuts.block_count));
  for (std::size_t i = 0; i < cuts.blocks.size(); ++i) {
    blocks[cuts.blocks[i]].push_back(static_cast<int>(i));
  }
  std::vector<graph::TensorDescription> tensors;
  for (const graph::Tensor& tensor : graph.tensors()) tensors.push_back({tensor.id, tensor.bytes});
  std::vector<graph::AtomDescription> atoms;
  for (std::size_t block = 0; block < blocks.size(); ++block) {
    graph::AtomDescription& atom = atoms.emplace_back();
    atom.id = std::to_string(block);
    for (const int member : blocks[block]) {
      for (const int tensor : graph.atoms()[member].inputs) {
        const int producer = graph.tensors()[tensor].producer;
        const bool inside = producer >= 0 && cuts.blocks[producer] == static_cast<int>(block);
        if (!inside) atom.inputs.push_back(graph.tensors()[tensor].id);
      }
      for (const int tensor : graph.atoms()[member].outputs) {
        atom.outputs.push_back(graph.tensors()[tensor].id);
      }
    }
  }
  std::vector<Members> ordered;
  const graph::AtomGraph merged(tensors, atoms, "blocks");
  for (const int block : merged.topological_order()) {
    ordered.push_back(blocks[block]);
  }
  return ordered;
}

bool keeps_random_order(const v1::Manifest& manifest, const std::vector<Members>& blocks) {
  int last = -1;
  for (const Members& members : blocks) {
    for (const int atom : members) {
      if (!manifest.atoms(atom).nondeterministic()) continue;
      if (atom < last) return false;
      last = atom;
    }
  }
  return true;
}

class Merger {
 public:
  Merger(SplitResult result, BlockForm form)
      : old_(std::move(result.manifest)), records_(std::move(result.records)), new_(old_) {
    options_.form = form;
    for (std::size_t i = 0; i < records_.size(); ++i) record_of_[records_[i].name] = i;
    for (const v1::Tensor& tensor : old_.tensors()) tensors_[tensor.id()] = &tensor;
  }

  void run(const std::vector<Members>& blocks) {
    const graph::AtomGraph graph = archive::check_manifest(old_, old_.model_name());
    find_shared_weights(blocks);
    new_.clear_atoms();
    std::vector<archive::Record> made;
    for (const Members& members : blocks) {
      if (members.size() == 1) {
        *new_.add_atoms() = old_.atoms(members.front());
        made.push_back(take_record(new_.atoms().rbegin()->record()));
      } else {
        made.push_back(add_block(graph, members));
      }
    }
    keep_needed_tensors();
    std::vector<archive::Record> kept;
    for (const v1::Tensor& tensor : new_.tensors()) {
      if (!tensor.record().empty()) kept.push_back(take_record(tensor.record()));
    }
    std::move(made.begin(), made.end(), std::back_inserter(kept));
    records_ = std::move(kept);
  }

  SplitResult take_result(std::vector<std::string> warnings) {
    return {std::move(new_), std::move(records_), std::move(warnings)};
  }

 private:
  archive::Record take_record(const std::string& name) {
    return std::move(records_[record_of_.at(name)]);
  }

  // Weights that several blocks, a block of one atom or the model's result need stay apart.
  void find_shared_weights(const std::vector<Members>& blocks) {
    std::unordered_map<std::string, int> readers;
    for (const Members& members : blocks) {
      std::set<std::string> read;
      for (const int member : members) {
        for (const std::string& input : old_.atoms(member).inputs()) {
          if (tensors_.at(input)->role() == v1::WEIGHT) read.insert(input);
        }
      }
      for (const std::string& weight : read) {
        readers[weight] += members.size() == 1 ? 2 : 1;
      }
    }
    for (const auto& [weight, count] : readers) {
      if (count > 1) options_.weights_outside.insert(weight);
    }
  }

  archive::Record add_block(const graph::AtomGraph& graph, const Members& members) {
    const auto bytes = [&](const std::string& record) -> std::string_view {
      return records_[record_of_.at(record)].bytes;
    };
    BlockModule block =
        combine(AtomSource{old_, graph, old_.model_name(), bytes}, members, options_);
    v1::Atom& atom = *new_.add_atoms();
    const std::string first = old_.atoms(members.front()).id();
    atom.set_id(first + "-to-" + old_.atoms(members.back()).id());
    describe(members, atom);
    for (const std::string& input : block.inputs) atom.add_inputs(input);
    for (const std::string& output : block.outputs) atom.add_outputs(output);
    atom.set_record("atoms/" + atom.id() + ".pt");
    atom.set_sha256(sha256_hex(block.record));
    atom.set_record_bytes(block.record.size());
    return {atom.record(), std::move(block.record)};
  }

  // What the members are and need, added up; the operator with most MACs first.
  void describe(const Members& members, v1::Atom& atom) {
    atom.set_kind(v1::GROUP);
    std::uint64_t most_macs = 0;
    int principal = 0;
    std::set<std::string> inside;
    for (const int member : members) {
      const v1::Atom& part = old_.atoms(member);
      atom.add_members(part.id());
      if (part.kind() == v1::STATEFUL || atom.kind() == v1::GROUP) {
        const bool special = part.kind() == v1::STATEFUL || part.kind() == v1::CONTROL_FLOW;
        if (special) atom.set_kind(part.kind());
      }
      atom.set_macs(atom.macs() + part.macs());
      atom.set_weight_bytes(atom.weight_bytes() + part.weight_bytes());
      atom.set_nondeterministic(atom.nondeterministic() || part.nondeterministic());
      atom.set_stateful(atom.stateful() || part.stateful());
      for (const std::string& input : part.inputs()) {
        const v1::Tensor& tensor = *tensors_.at(input);
        const bool moves_in =
            tensor.role() == v1::WEIGHT && options_.weights_outside.count(input) == 0;
        if (moves_in && inside.insert(input).second) {
          atom.set_weight_bytes(atom.weight_bytes() + tensor.bytes());
        }
      }
      for (const v1::Operator& op : part.operators()) {
        if (atom.operators_size() == 0 || op.macs() > most_macs) {
          principal = atom.operators_size();
          most_macs = op.macs();
          atom.set_source(part.source());
        }
        *atom.add_operators() = op;
      }
    }
    for (int i = principal; i > 0; --i) atom.mutable_operators()->SwapElements(i, i - 1);
  }

  // Tensors that flow only inside a block are gone, and so are weights that moved into one.
  void keep_needed_tensors() {
    std::set<std::string> needed;
    for (const v1::Atom& atom : new_.atoms()) {
      needed.insert(atom.inputs().begin(), atom.inputs().end());
      needed.insert(atom.outputs().begin(), atom.outputs().end());
    }
    for (const std::string& id : archive::constants_of(new_.output())) needed.insert(id);
    for (const v1::Tensor& tensor : old_.tensors()) {
      if (tensor.role() == v1::STATE) needed.insert({tensor.id(), tensor.next()});
    }
    new_.clear_tensors();
    for (const v1::Tensor& tensor : old_.tensors()) {
      if (tensor.role() == v1::INPUT || needed.count(tensor.id()) != 0) {
        *new_.add_tensors() = tensor;
      }
    }
  }

  const v1::Manifest old_;
  std::vector<archive::Record> records_;
  v1::Manifest new_;
  std::unordered_map<std::string, std::size_t> record_of_;  // by name
  std::unordered_map<std::string, const v1::Tensor*> tensors_;
  BlockOptions options_;
};

}  // namespace

SplitResult merge_atoms(SplitResult result, const std::vector<std::vector<int>>& blocks,
                        BlockForm form) {
  std::vector<std::string> warnings = std::move(result.warnings);
  Merger merger(std::move(result), form);
  merger.run(blocks);
  return merger.take_result(std::move(warnings));
}

SplitResult merge_into_lossless_blocks(SplitResult result) {
  const v1::Manifest& manifest = result.manifest;
  v1::Reduction reduction;
  reduction.set_operator_atoms(static_cast<std::uint32_t>(manifest.atoms_size()));
  for (const std::string& assumption : graph::reduction_assumptions()) {
    reduction.add_assumptions(assumption);
  }
  const auto blocks =
      blocks_in_order(manifest, archive::check_manifest(manifest, manifest.model_name()));
  if (keeps_random_order(manifest, blocks)) result = merge_atoms(std::move(result), blocks);
  *result.manifest.mutable_reduction() = std::move(reduction);
  return result;
}

}  // namespace adamec::torchscript
