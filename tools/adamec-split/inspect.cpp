#include "tools/adamec-split/inspect.h"

#include <fmt/format.h>

#include <map>
#include <nlohmann/json.hpp>

#include "adamec/base/text_table.h"
#include "adamec/base/units.h"
#include "adamec/proto/tensor_type.h"

namespace adamec::tools {
namespace {

using Json = nlohmann::ordered_json;

// The arguments that shape the work: sizes of weights, strides and the like; no defaults.
std::string configuration(const v1::Operator& op) {
  std::string text;
  const auto add = [&](const std::string& part) { text += (text.empty() ? "" : " ") + part; };
  for (const v1::Argument& argument : op.arguments()) {
    if (argument.weight() && argument.name() == "weight" && argument.tensors_size() == 1) {
      add(fmt::format("weight={}", fmt::join(argument.tensors(0).shape(), "x")));
    }
    static const char* const kShown[] = {"stride", "padding",     "dilation", "groups",
                                         "dim",    "kernel_size", "size",     "output_size"};
    for (const char* name : kShown) {
      if (argument.name() == name && !argument.literal().empty()) {
        add(argument.name() + "=" + argument.literal());
      }
    }
  }
  return text.size() > 70 ? text.substr(0, 67) + "..." : text;
}

std::string number(std::uint64_t value) {
  if (value >= 1'000'000'000) return fmt::format("{:.2f} G", static_cast<double>(value) / 1e9);
  if (value >= 1'000'000) return fmt::format("{:.2f} M", static_cast<double>(value) / 1e6);
  if (value >= 10'000) return fmt::format("{:.1f} k", static_cast<double>(value) / 1e3);
  return fmt::format("{}", value);
}

struct Totals {
  std::uint64_t macs = 0;
  std::uint64_t weight_bytes = 0;
};

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

std::map<std::string, const v1::Tensor*> tensors_by_id(const v1::Manifest& manifest) {
  std::map<std::string, const v1::Tensor*> tensors;
  for (const v1::Tensor& tensor : manifest.tensors()) tensors[tensor.id()] = &tensor;
  return tensors;
}

Json operator_json(const v1::Operator& op) {
  Json json = {{"name", op.name()}, {"macs", op.macs()}};
  if (!op.backend_one_thread().empty()) {
    json["backend_one_thread"] = op.backend_one_thread();
    json["backend_many_threads"] = op.backend_many_threads();
  }
  json["arguments"] = Json::object();
  for (const v1::Argument& argument : op.arguments()) {
    Json& value = json["arguments"][argument.name()];
    if (argument.tensors_size() == 0) {
      value = argument.literal();
      continue;
    }
    value = {{"tensors", Json::array()}, {"weight", argument.weight()}};
    for (const auto& type : argument.tensors()) value["tensors"].push_back(tensor_type_text(type));
  }
  return json;
}

}  // namespace

std::string list_atoms(const v1::Manifest& manifest) {
  const auto tensors = tensors_by_id(manifest);
  using Align = TextTable::Align;
  TextTable table({{"atom"},
                   {"operator"},
                   {"configuration"},
                   {"output"},
                   {"MACs", Align::kRight},
                   {"weights", Align::kRight},
                   {"bytes out", Align::kRight}});
  for (const v1::Atom& atom : manifest.atoms()) {
    std::string shapes;
    std::uint64_t bytes = 0;
    for (const std::string& output : atom.outputs()) {
      const v1::Tensor& tensor = *tensors.at(output);
      shapes += (shapes.empty() ? "" : " ") + tensor_type_text(tensor.type());
      bytes += tensor.bytes();
    }
    if (shapes.size() > 60) shapes = fmt::format("{} tensors", atom.outputs_size());
    std::string name = atom.operators_size() > 0 ? atom.operators(0).name() : "";
    if (atom.operators_size() > 1) name += fmt::format(" (+{})", atom.operators_size() - 1);
    if (atom.kind() == v1::VIEW) name += " (view)";
    table.add_row({atom.id(), name,
                   atom.operators_size() > 0 ? configuration(atom.operators(0)) : "", shapes,
                   number(atom.macs()), format_bytes(atom.weight_bytes()), format_bytes(bytes)});
  }
  return table.str() + summary(manifest) + "\n";
}

std::string manifest_json(const v1::Manifest& manifest) {
  Json json = {{"model", manifest.model_name()},
               {"model_sha256", manifest.model_sha256()},
               {"adamec_version", manifest.adamec_version()},
               {"libtorch_version", manifest.libtorch_version()},
               {"method", manifest.method()},
               {"macs", totals(manifest).macs},
               {"weight_bytes", totals(manifest).weight_bytes},
               {"tensors", Json::array()},
               {"atoms", Json::array()}};
  for (const v1::Tensor& tensor : manifest.tensors()) {
    json["tensors"].push_back({{"id", tensor.id()},
                               {"type", tensor_type_text(tensor.type())},
                               {"bytes", tensor.bytes()},
                               {"role", v1::TensorRole_Name(tensor.role())}});
  }
  for (const v1::Atom& atom : manifest.atoms()) {
    Json operators = Json::array();
    for (const v1::Operator& op : atom.operators()) operators.push_back(operator_json(op));
    json["atoms"].push_back({{"id", atom.id()},
                             {"kind", v1::AtomKind_Name(atom.kind())},
                             {"operators", operators},
                             {"inputs", atom.inputs()},
                             {"outputs", atom.outputs()},
                             {"macs", atom.macs()},
                             {"weight_bytes", atom.weight_bytes()},
                             {"peak_activation_bytes", atom.peak_activation_bytes()},
                             {"source", atom.source()}});
  }
  return json.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

std::string atom_graph_dot(const v1::Manifest& manifest) {
  std::string text = "digraph atoms {\n  rankdir=TB;\n  node [shape=box, fontname=\"sans\"];\n";
  std::map<std::string, std::string> producers;
  const auto tensors = tensors_by_id(manifest);
  for (const v1::Tensor& tensor : manifest.tensors()) {
    if (tensor.role() == v1::INTERMEDIATE) continue;
    producers[tensor.id()] = tensor.id();
    text += fmt::format("  \"{}\" [shape={}];\n", tensor.id(),
                        tensor.role() == v1::INPUT ? "ellipse" : "cylinder");
  }
  for (const v1::Atom& atom : manifest.atoms()) {
    for (const std::string& output : atom.outputs()) producers[output] = atom.id();
    text += fmt::format("  \"{}\" [label=\"{}\\n{}\\n{} MACs\"{}];\n", atom.id(), atom.id(),
                        atom.operators_size() > 0 ? atom.operators(0).name() : "",
                        number(atom.macs()), atom.kind() == v1::VIEW ? ", style=dashed" : "");
    for (const std::string& input : atom.inputs()) {
      text += fmt::format("  \"{}\" -> \"{}\" [label=\"{}\"];\n", producers[input], atom.id(),
                          format_bytes(tensors.at(input)->bytes()));
    }
  }
  return text + "}\n";
}

std::string summary(const v1::Manifest& manifest) {
  const Totals sum = totals(manifest);
  return fmt::format("{}: {} atoms, {} MACs, {} of weights", manifest.model_name(),
                     manifest.atoms_size(), number(sum.macs), format_bytes(sum.weight_bytes));
}

}  // namespace adamec::tools
