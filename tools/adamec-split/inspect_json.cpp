#include <nlohmann/json.hpp>
#include <set>

#include "adamec/proto/tensor_type.h"
#include "tools/adamec-split/inspect.h"
#include "tools/adamec-split/json_parts.h"
#include "tools/common/value_json.h"

namespace adamec::tools {
namespace {

Json tensor_json(const ManifestView& view, const v1::Tensor& tensor) {
  Json json = {{"id", tensor.id()},
               {"type", tensor_type_text(tensor.type())},
               {"dtype", dtype_name(tensor.type().dtype())},
               {"shape", tensor.type().shape()},
               {"bytes", tensor.bytes()},
               {"role", v1::TensorRole_Name(tensor.role())},
               {"may_be_cut", view.may_be_cut(tensor.id())}};
  if (!tensor.type().strides().empty()) json["strides"] = tensor.type().strides();
  if (tensor.type().subnormal_permille() > 0) {
    json["subnormal_permille"] = tensor.type().subnormal_permille();
  }
  if (!tensor.record().empty()) {
    json["record"] = tensor.record();
    json["record_bytes"] = tensor.record_bytes();
    json["sha256"] = tensor.sha256();
  }
  if (tensor.role() == v1::STATE) json["next"] = tensor.next();
  for (const v1::OpenSize& size : tensor.open_sizes()) {
    json["open_sizes"].push_back({{"dimension", size.dimension()}, {"name", size.name()}});
  }
  return json;
}

Json atom_json(const v1::Atom& atom, int block) {
  Json operators = Json::array();
  for (const v1::Operator& op : atom.operators()) operators.push_back(operator_json(op));
  Json json = {{"id", atom.id()},
               {"kind", v1::AtomKind_Name(atom.kind())},
               {"operators", operators},
               {"inputs", atom.inputs()},
               {"outputs", atom.outputs()},
               {"macs", atom.macs()},
               {"weight_bytes", atom.weight_bytes()},
               {"peak_activation_bytes", atom.peak_activation_bytes()},
               {"source", atom.source()},
               {"nondeterministic", atom.nondeterministic()},
               {"stateful", atom.stateful()},
               {"record", atom.record()},
               {"record_bytes", atom.record_bytes()},
               {"sha256", atom.sha256()},
               {"block", block}};
  if (atom.members_size() > 0) json["members"] = atom.members();
  return json;
}

// Per lossless block: its atoms, what they add up to and the tensors that may be cut around it.
Json blocks_json(const ManifestView& view) {
  const archive::Cuts& cuts = view.cuts();
  std::vector<Json> blocks(static_cast<std::size_t>(cuts.block_count));
  std::vector<std::set<std::string>> made(blocks.size());
  for (Json& block : blocks) {
    block = {{"atoms", Json::array()},
             {"macs", 0},
             {"weight_bytes", 0},
             {"inputs", Json::array()},
             {"outputs", Json::array()}};
  }
  for (int i = 0; i < view.manifest().atoms_size(); ++i) {
    const v1::Atom& atom = view.manifest().atoms(i);
    Json& block = blocks[cuts.blocks[i]];
    block["atoms"].push_back(atom.id());
    block["macs"] = block["macs"].get<std::uint64_t>() + atom.macs();
    block["weight_bytes"] = block["weight_bytes"].get<std::uint64_t>() + atom.weight_bytes();
    std::set<std::string>& known = made[cuts.blocks[i]];
    for (const std::string& input : atom.inputs()) {
      if (view.may_be_cut(input) && known.insert(input).second) block["inputs"].push_back(input);
    }
    for (const std::string& output : atom.outputs()) {
      known.insert(output);
      if (view.may_be_cut(output)) block["outputs"].push_back(output);
    }
  }
  return blocks;
}

}  // namespace

std::string json_text(const Json& json) {
  return json.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
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
    for (const auto& type : argument.tensors())
      value["tensors"].push_back(tensor_layout_text(type));
  }
  json["results"] = Json::array();
  for (const v1::TensorType& type : op.results()) {
    json["results"].push_back(tensor_layout_text(type));
  }
  return json;
}

std::string manifest_json(const ManifestView& view) {
  const v1::Manifest& manifest = view.manifest();
  Json json = {{"format_version", manifest.format_version()},
               {"model", manifest.model_name()},
               {"model_sha256", manifest.model_sha256()},
               {"model_bytes", manifest.model_bytes()},
               {"adamec_version", manifest.adamec_version()},
               {"libtorch_version", manifest.libtorch_version()},
               {"method", manifest.method()},
               {"granularity", manifest.has_reduction() ? "block" : "operator"},
               {"macs", totals(manifest).macs},
               {"weight_bytes", totals(manifest).weight_bytes},
               {"blocks", blocks_json(view)},
               {"assumptions", assumptions(view)},
               {"inputs", Json::array()},
               {"output", value_json(manifest.output())},
               {"tensors", Json::array()},
               {"atoms", Json::array()}};
  if (manifest.has_reduction()) {
    json["operator_atoms"] = manifest.reduction().operator_atoms();
  }
  for (const v1::Input& input : manifest.inputs()) {
    json["inputs"].push_back({{"name", input.name()}, {"value", value_json(input.value())}});
  }
  for (const v1::Tensor& tensor : manifest.tensors()) {
    json["tensors"].push_back(tensor_json(view, tensor));
  }
  for (int i = 0; i < manifest.atoms_size(); ++i) {
    json["atoms"].push_back(atom_json(manifest.atoms(i), view.cuts().blocks[i]));
  }
  return json_text(json);
}

}  // namespace adamec::tools
