#pragma once

#include <functional>
#include <set>
#include <string>
#include <unordered_map>
#include <vector>

#include "adamec/archive/archive.h"
#include "adamec/torchscript/cut/cut.h"
#include "adamec/torchscript/describe/describe.h"
#include "adamec/torchscript/load/load.h"
#include "adamec/torchscript/load/open_sizes.h"
#include "adamec/torchscript/specialise/specialise.h"

namespace adamec::torchscript {

// Writes down a cut model: the manifest, and one record per atom and shared weight, whose hashes
// are left to do. First add_inputs(), then add_whole(), or add_atoms() and make_records().
class ManifestWriter {
 public:
  ManifestWriter(const LoadedModel& model, const std::string& method,
                 std::function<void(std::size_t, std::size_t)> progress);

  // The model's arguments, and a tensor for each tensor among them.
  void add_inputs(const jit::Module& module, const std::vector<c10::IValue>& arguments,
                  const std::vector<OpenSize>& open_sizes = {});
  // The atoms, their shared weights and what the model returns. The atoms' records have no more
  // than their names yet.
  void add_atoms(const Residual& residual, const std::vector<AtomDraft>& drafts);
  // The atoms' records, large ones first, on two threads. Forgets the contents of weights once they
  // are in their records. Calls complete() with the index of every record that is, from any thread.
  void make_records(Residual& residual, const std::vector<AtomDraft>& drafts,
                    const std::function<void(std::size_t)>& complete = {});
  // The whole model as one atom. `returned`: what it returned for the example arguments.
  void add_whole(const jit::Module& module, const c10::IValue& returned, bool stateful);

  const v1::Manifest& manifest() const { return manifest_; }
  const std::vector<archive::Record>& records() const { return records_; }
  v1::Manifest take_manifest() { return std::move(manifest_); }
  std::vector<archive::Record> take_records() { return std::move(records_); }

 private:
  v1::Value input_value(const c10::IValue& argument, const std::string& id,
                        const std::string& where);
  v1::Value output_value(const Residual& residual, const KnownValue& item);
  void add_atom(const Residual& residual, const AtomDraft& draft);
  // Gives the atom its operators, the one with most MACs first; returns that one's node.
  jit::Node* add_operators(const AtomDraft& draft, v1::Atom& atom) const;
  std::uint64_t weight_bytes(const Residual& residual, const AtomDraft& draft,
                             const archive::Record& record) const;
  // Returns the tensor's id.
  void add_states(const Residual& residual);
  void finish_states(const Residual& residual);
  std::string add_weight(const Residual& residual, jit::Value* value);
  void add_tensor(const std::string& id, const TensorInfo& info, v1::TensorRole role);

  std::function<void(std::size_t, std::size_t)> progress_;
  v1::Manifest manifest_;
  std::vector<archive::Record> records_;
  std::vector<std::string> input_ids_;
  std::set<std::string> tensor_ids_, atom_ids_, weight_names_;
  WeightContents weights_;
  std::unordered_map<const jit::Value*, std::string> names_;  // tensor ids
  std::size_t next_output_ = 0;
};

}  // namespace adamec::torchscript
