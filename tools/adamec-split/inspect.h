#pragma once

#include <string>

#include "adamec/v1/archive.pb.h"

namespace adamec::tools {

// The atoms as a table: atom, operator, configuration, output shapes, MACs, weights, bytes out.
std::string list_atoms(const v1::Manifest& manifest);

// The same and the tensors as JSON, for machines.
std::string manifest_json(const v1::Manifest& manifest);

// The atom graph in DOT: atoms as nodes, tensors as edges labelled with their size.
std::string atom_graph_dot(const v1::Manifest& manifest);

// One line: "resnet18: 69 atoms, 1.8 G MACs, 44.6 MiB of weights".
std::string summary(const v1::Manifest& manifest);

}  // namespace adamec::tools
