#include "tools/adamec-split/inspect.h"

#include <fmt/format.h>

#include "adamec/archive/manifest.h"
#include "adamec/archive/value.h"
#include "adamec/base/error.h"
#include "adamec/base/text_table.h"
#include "adamec/base/units.h"
#include "adamec/proto/tensor_type.h"

namespace adamec::tools {
namespace {

// The arguments that shape the work: sizes of weights, strides and the like; no defaults.
std::string configuration(const v1::Operator& op) {
  std::string text;
  const auto add = [&](const std::string& part) { text += (text.empty() ? "" : " ") + part; };
  for (const v1::Argument& argument : op.arguments()) {
    if (argument.weight() && argument.name() == "weight" && argument.tensors_size() == 1) {
      add(fmt::format("weight={}", fmt::join(argument.tensors(0).shape(), "x")));
    }
    static constexpr const char* kShown[] = {"stride", "padding",     "dilation", "groups",
                                             "dim",    "kernel_size", "size",     "output_size"};
    for (const char* name : kShown) {
      if (argument.name() == name && !argument.literal().empty()) {
        add(argument.name() + "=" + argument.literal());
      }
    }
  }
  return printable(text, 70);
}

void add_row(TextTable& table, const ManifestView& view, int index) {
  const v1::Atom& atom = view.manifest().atoms(index);
  std::string shapes;
  std::uint64_t bytes = 0;
  bool cut = false;
  for (const std::string& output : atom.outputs()) {
    const v1::Tensor& tensor = view.tensor(output);
    shapes += (shapes.empty() ? "" : " ") + tensor_type_text(tensor.type());
    bytes += tensor.bytes();
    cut = cut || view.may_be_cut(output);
  }
  if (shapes.size() > 60) shapes = fmt::format("{} tensors", atom.outputs_size());
  std::string name = atom.operators_size() > 0 ? printable(atom.operators(0).name()) : "";
  if (atom.operators_size() > 1) name += fmt::format(" (+{})", atom.operators_size() - 1);
  std::string kind = kind_name(atom.kind());
  if (atom.stateful()) kind += ", state";
  if (atom.nondeterministic()) kind += ", random";
  table.add_row({atom.id(), kind, name,
                 atom.operators_size() > 0 ? configuration(atom.operators(0)) : "", shapes,
                 short_number(atom.macs()), format_bytes(atom.weight_bytes()), format_bytes(bytes),
                 std::to_string(view.cuts().blocks[index]), cut ? "yes" : "no"});
}

}  // namespace

ManifestView::ManifestView(const v1::Manifest& manifest, const std::string& source)
    : manifest_(manifest),
      cuts_(archive::possible_cuts(manifest, archive::check_manifest(manifest, source))) {
  for (int i = 0; i < manifest.tensors_size(); ++i) tensors_[manifest.tensors(i).id()] = i;
}

const v1::Tensor& ManifestView::tensor(const std::string& id) const {
  return manifest_.tensors(tensors_.at(id));
}

bool ManifestView::may_be_cut(const std::string& id) const {
  return cuts_.may_be_cut[tensors_.at(id)] != 0;
}

std::string kind_name(v1::AtomKind kind) {
  switch (kind) {
    case v1::VIEW:
      return "view";
    case v1::GROUP:
      return "group";
    case v1::CONTROL_FLOW:
      return "control flow";
    case v1::STATEFUL:
      return "stateful";
    default:
      return "operator";
  }
}

std::string short_number(std::uint64_t value) {
  if (value >= 1'000'000'000) return fmt::format("{:.2f} G", static_cast<double>(value) / 1e9);
  if (value >= 1'000'000) return fmt::format("{:.2f} M", static_cast<double>(value) / 1e6);
  if (value >= 10'000) return fmt::format("{:.1f} k", static_cast<double>(value) / 1e3);
  return fmt::format("{}", value);
}

Totals totals(const v1::Manifest& manifest) {
  Totals sum;
  for (const v1::Atom& atom : manifest.atoms()) {
    sum.macs += atom.macs();
    sum.weight_bytes += atom.weight_bytes();
  }
  for (const v1::Tensor& tensor : manifest.tensors()) {
    if (tensor.role() == v1::WEIGHT) sum.weight_bytes += tensor.bytes();
  }
  return sum;
}

std::vector<std::string> assumptions(const ManifestView& view) {
  const v1::Manifest& manifest = view.manifest();
  std::vector<std::string> all;
  for (const v1::Input& input : manifest.inputs()) {
    const std::string name = printable(input.name());
    const std::string value = archive::value_text(input.value());
    all.push_back(value == name ? fmt::format("input {}", name)
                                : fmt::format("input {} is {}", name, value));
    std::string types;
    for (const std::string& id : archive::tensors_of(input.value())) {
      const std::string type = tensor_type_text(view.tensor(id).type());
      types += (types.empty() ? "" : ", ") + (id == value ? "" : printable(id) + " ") + type;
    }
    if (!types.empty()) all.back() += (value == name ? " is " : ", ") + types;
  }
  for (const v1::Tensor& tensor : manifest.tensors()) {
    for (const v1::OpenSize& size : tensor.open_sizes()) {
      all.push_back(fmt::format("input {} may have any size in dimension {} ({})",
                                printable(tensor.id()), size.dimension(), printable(size.name())));
    }
    if (tensor.role() == v1::STATE) {
      all.push_back(fmt::format("state {} is {} before the first run, then {}",
                                printable(tensor.id()), tensor_type_text(tensor.type()),
                                printable(tensor.next())));
    }
  }
  for (const std::string& text : manifest.reduction().assumptions()) {
    all.push_back("blocks: " + printable(text, 300));
  }
  return all;
}

std::string list_atoms(const ManifestView& view) {
  const v1::Manifest& manifest = view.manifest();
  using Align = TextTable::Align;
  TextTable table({{"atom"},
                   {"kind"},
                   {"operator"},
                   {"configuration"},
                   {"output"},
                   {"MACs", Align::kRight},
                   {"weights", Align::kRight},
                   {"bytes out", Align::kRight},
                   {"block", Align::kRight},
                   {"cut"}});
  for (int i = 0; i < manifest.atoms_size(); ++i) add_row(table, view, i);
  std::string text = table.str();
  for (const std::string& assumption : assumptions(view)) text += assumption + "\n";
  text += fmt::format("output {}\n", archive::value_text(manifest.output()));
  if (manifest.has_reduction()) {
    text +=
        fmt::format("blocks: made of {} operator atoms\n", manifest.reduction().operator_atoms());
  }
  text += fmt::format(
      "{} lossless blocks: sending a result marked 'no' is never better than another cut (see "
      "--help)\n",
      view.cuts().block_count);
  return text + summary(manifest) + "\n";
}

std::string summary(const v1::Manifest& manifest) {
  const Totals sum = totals(manifest);
  return fmt::format("{}: {} atoms, {} MACs, {} of weights", printable(manifest.model_name()),
                     manifest.atoms_size(), short_number(sum.macs), format_bytes(sum.weight_bytes));
}

}  // namespace adamec::tools
