#include "adamec/measure/atom_program.h"

#include <utility>

namespace adamec::measure {

AtomProgram make_program(const archive::Reader& archive, const std::string& name,
                         std::string record, std::span<const std::string> inputs) {
  AtomProgram program;
  program.name = archive.name() + ": " + name;
  program.record = std::move(record);
  for (const std::string& id : inputs) {
    const v1::Tensor& tensor = archive.manifest().tensors(archive.graph().find_tensor(id).value());
    AtomInput& input = program.inputs.emplace_back();
    input.type = tensor.type();
    if (!tensor.record().empty()) input.weight_record = archive.read_weight(tensor);
  }
  return program;
}

AtomProgram read_program(const archive::Reader& archive, const v1::Atom& atom) {
  const std::vector<std::string> inputs(atom.inputs().begin(), atom.inputs().end());
  return make_program(archive, atom.id(), archive.read_atom(atom), inputs);
}

}  // namespace adamec::measure
