#include <fmt/format.h>

#include "adamec/archive/value.h"
#include "adamec/base/error.h"
#include "adamec/base/units.h"
#include "tools/adamec-split/inspect.h"

namespace adamec::tools {
namespace {

std::string quoted(const std::string& text) {
  std::string result = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') result += '\\';
    result += c;
  }
  return result + "\"";
}

std::string node(const v1::Atom& atom) {
  std::string style;
  if (atom.kind() == v1::VIEW) style = ", style=dashed";
  if (atom.kind() == v1::STATEFUL) style = ", peripheries=2";
  if (atom.kind() == v1::CONTROL_FLOW) style = ", shape=octagon";
  const std::string name = atom.operators_size() > 0 ? printable(atom.operators(0).name()) : "";
  const std::string label = quoted(atom.id() + "\n" + name);
  std::string text = label.substr(0, label.size() - 1);
  if (const auto line = text.find('\n'); line != std::string::npos) text.replace(line, 1, "\\n");
  return fmt::format("{} [label={}\\n{} MACs\"{}];\n", quoted(atom.id()), text,
                     short_number(atom.macs()), style);
}

std::string edge(const ManifestView& view, const std::string& from, const std::string& to,
                 const std::string& tensor) {
  return fmt::format("  {} -> {} [label={}{}];\n", quoted(from), quoted(to),
                     quoted(format_bytes(view.tensor(tensor).bytes())),
                     view.may_be_cut(tensor) ? "" : ", color=grey, fontcolor=grey");
}

}  // namespace

std::string atom_graph_dot(const ManifestView& view) {
  const v1::Manifest& manifest = view.manifest();
  std::string text = "digraph atoms {\n  rankdir=TB;\n  node [shape=box, fontname=\"sans\"];\n";
  std::map<std::string, std::string> producers;
  for (const v1::Tensor& tensor : manifest.tensors()) {
    if (tensor.role() == v1::INTERMEDIATE) continue;
    producers[tensor.id()] = tensor.id();
    text += fmt::format("  {} [shape={}];\n", quoted(tensor.id()),
                        tensor.role() == v1::INPUT ? "ellipse" : "cylinder");
  }
  std::vector<std::string> blocks(static_cast<std::size_t>(view.cuts().block_count));
  std::vector<int> members(blocks.size(), 0);
  for (int i = 0; i < manifest.atoms_size(); ++i) {
    const v1::Atom& atom = manifest.atoms(i);
    for (const std::string& output : atom.outputs()) producers[output] = atom.id();
    blocks[view.cuts().blocks[i]] += "  " + node(atom);
    ++members[view.cuts().blocks[i]];
  }
  for (std::size_t i = 0; i < blocks.size(); ++i) {
    text += members[i] == 1
                ? blocks[i]
                : fmt::format("  subgraph cluster_{} {{\n  label=\"block {}\";\n{}  }}\n", i, i,
                              blocks[i]);
  }
  for (const v1::Atom& atom : manifest.atoms()) {
    for (const std::string& input : atom.inputs()) {
      text += edge(view, producers[input], atom.id(), input);
    }
  }
  // Ids of atoms have no space.
  const auto results = archive::tensors_of(manifest.output());
  if (!results.empty()) text += "  \"the result\" [shape=ellipse];\n";
  for (const std::string& result : results) {
    text += edge(view, producers[result], "the result", result);
  }
  return text + "}\n";
}

}  // namespace adamec::tools
