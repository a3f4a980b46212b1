#pragma once

#include <map>
#include <string>

#include "adamec/archive/cuts.h"
#include "adamec/v1/archive.pb.h"

// Looking into a manifest. Nothing here needs LibTorch.
namespace adamec::tools {

// A manifest, and what follows from it.
class ManifestView {
 public:
  // `source` is what messages call it. Throws Error unless the manifest is sound (check_manifest).
  ManifestView(const v1::Manifest& manifest, const std::string& source);

  [[nodiscard]] const v1::Manifest& manifest() const { return manifest_; }
  [[nodiscard]] const archive::Cuts& cuts() const { return cuts_; }
  [[nodiscard]] const v1::Tensor& tensor(const std::string& id) const;
  // Whether sending the tensor from one tier to the other can be the best cut in some context.
  [[nodiscard]] bool may_be_cut(const std::string& id) const;

 private:
  const v1::Manifest& manifest_;
  archive::Cuts cuts_;
  std::map<std::string, int> tensors_;
};

// The atoms as a table: atom, kind, operator, configuration, output shapes, MACs, weights, bytes
// out, lossless block, and whether the result may be cut there; then what the atoms hold for.
[[nodiscard]] std::string list_atoms(const ManifestView& view);

// All of it as JSON, for machines.
[[nodiscard]] std::string manifest_json(const ManifestView& view);

// The atom graph in DOT: atoms as nodes, tensors as edges labelled with their size. Lossless blocks
// are boxes around their atoms; tensors that are never worth cutting are grey.
[[nodiscard]] std::string atom_graph_dot(const ManifestView& view);

// One line: "resnet18: 69 atoms, 1.8 G MACs, 44.6 MiB of weights".
[[nodiscard]] std::string summary(const v1::Manifest& manifest);

// Sums over the atoms, shared weights included.
struct Totals {
  std::uint64_t macs = 0;
  std::uint64_t weight_bytes = 0;
};
[[nodiscard]] Totals totals(const v1::Manifest& manifest);

// "1.82 G"
[[nodiscard]] std::string short_number(std::uint64_t value);

// "operator", "view", "group", "control flow", "stateful"
[[nodiscard]] std::string kind_name(v1::AtomKind kind);

// What the model was cut for and what the cut rests on, one sentence each.
[[nodiscard]] std::vector<std::string> assumptions(const ManifestView& view);

}  // namespace adamec::tools
