#include "tools/adamec-profile/synthetic.h"

#include <utility>

#include "adamec/base/error.h"
#include "adamec/measure/synthesis/synthesis.h"
#include "adamec/torchscript/split/operator_atom.h"

namespace adamec::tools {
namespace {

// Takes over the one atom of `made` under ids of its own.
void add_atom(const v1::Manifest& made, const std::string& id, v1::Manifest& manifest) {
  v1::Atom& atom = *manifest.add_atoms();
  atom = made.atoms(0);
  atom.set_id(id);
  for (std::string& input : *atom.mutable_inputs()) input = id + "/" + input;
  for (std::string& output : *atom.mutable_outputs()) output = id + "/" + output;
  for (const v1::Tensor& tensor : made.tensors()) {
    v1::Tensor& copy = *manifest.add_tensors();
    copy = tensor;
    copy.set_id(id + "/" + tensor.id());
  }
}

graph::AtomGraph graph_of(const v1::Manifest& manifest) {
  std::vector<graph::TensorDescription> tensors;
  std::vector<graph::AtomDescription> atoms;
  for (const v1::Tensor& tensor : manifest.tensors()) {
    tensors.push_back({tensor.id(), tensor.bytes()});
  }
  for (const v1::Atom& atom : manifest.atoms()) {
    atoms.push_back({atom.id(),
                     {atom.inputs().begin(), atom.inputs().end()},
                     {atom.outputs().begin(), atom.outputs().end()}});
  }
  return graph::AtomGraph(tensors, atoms, "synthetic");
}

}  // namespace

Synthetic make_synthetic(const std::vector<archive::Reader>& archives,
                         const ProfileConfig& config) {
  Synthetic synthetic;
  synthetic.manifest.set_model_name("synthetic");
  std::vector<const v1::Operator*> at_hand;
  for (const archive::Reader& archive : archives) {
    for (const v1::Atom& atom : archive.manifest().atoms()) {
      if (atom.operators_size() == 1) at_hand.push_back(&atom.operators(0));
    }
  }
  for (const Synthesis& synthesis : config.synthesize) {
    const auto calls = measure::synthesize(synthesis.kind, synthesis.count, at_hand, config.seed);
    for (std::size_t i = 0; i < calls.size(); ++i) {
      const std::string id = fmt::format("{}:{}", synthesis.kind, i);
      try {
        const auto made = torchscript::operator_atom(calls[i], id, config.seed);
        add_atom(made.manifest, id, synthetic.manifest);
        synthetic.operators.push_back(calls[i]);
      } catch (const Error& error) {
        synthetic.refused.push_back(error.what());
      }
    }
  }
  synthetic.graph = graph_of(synthetic.manifest);
  return synthetic;
}

measure::AtomProgram synthetic_program(const Synthetic& synthetic, int atom, std::uint64_t seed) {
  const std::string& id = synthetic.manifest.atoms(atom).id();
  torchscript::SplitResult made =
      torchscript::operator_program(synthetic.operators[static_cast<std::size_t>(atom)], id, seed);
  measure::AtomProgram program;
  program.name = "synthetic: " + id;
  for (const std::string& input : made.manifest.atoms(0).inputs()) {
    for (const v1::Tensor& tensor : made.manifest.tensors()) {
      if (tensor.id() == input) program.inputs.push_back({tensor.type(), ""});
    }
  }
  program.record = std::move(made.records.back().bytes);
  return program;
}

}  // namespace adamec::tools
