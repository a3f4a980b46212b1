#include "adamec/measure/atom_program.h"

namespace adamec::measure {

AtomProgram read_program(const archive::Reader& archive, const v1::Atom& atom) {
  AtomProgram program;
  program.name = archive.name() + ": " + atom.id();
  program.record = archive.read_atom(atom);
  for (const std::string& id : atom.inputs()) {
    const v1::Tensor& tensor = archive.manifest().tensors(archive.graph().find_tensor(id).value());
    AtomInput& input = program.inputs.emplace_back();
    input.type = tensor.type();
    if (!tensor.record().empty()) input.weight_record = archive.read_weight(tensor);
  }
  return program;
}

}  // namespace adamec::measure
