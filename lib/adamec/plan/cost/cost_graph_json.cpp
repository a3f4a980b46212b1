#include <google/protobuf/util/json_util.h>

#include <nlohmann/json.hpp>

#include "adamec/base/error.h"
#include "adamec/base/file.h"
#include "adamec/plan/cost/cost_graph.h"
#include "adamec/proto/json.h"

namespace adamec::plan {
namespace {

constexpr std::uint64_t kMaxFileBytes = std::uint64_t{1} << 30;

// "INVALID_ARGUMENT:(atoms[0]): unknown: Cannot find field." -> "(atoms[0]): ...", lower case.
std::string reason(const google::protobuf::util::Status& status) {
  std::string text(status.message().data(), status.message().size());
  if (const auto line_end = text.find('\n'); line_end != std::string::npos) text.resize(line_end);
  while (!text.empty() && (text.back() == '.' || text.back() == ' ')) text.pop_back();
  if (!text.empty()) text[0] = static_cast<char>(std::tolower(static_cast<unsigned char>(text[0])));
  return printable(text, 200);
}

template <typename Items, typename Convert>
void append_list(std::string& text, const char* name, const Items& items, Convert convert) {
  text += fmt::format(",\n \"{}\": [", name);
  const char* separator = "\n  ";
  for (const auto& item : items) {
    text +=
        separator + convert(item).dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
    separator = ",\n  ";
  }
  text += ']';
}

using Json = nlohmann::ordered_json;

Json atom_json(const v1::CostGraph::Atom& atom) {
  Json json{{"id", atom.id()},
            {"inputs", Json(atom.inputs())},
            {"outputs", Json(atom.outputs())},
            {"weight_bytes", atom.weight_bytes()},
            {"activation_bytes", atom.activation_bytes()},
            {"latency_ms", Json(atom.latency_ms())}};
  if (!atom.tiers().empty()) json["tiers"] = Json(atom.tiers());
  return json;
}

Json endpoint_json(const v1::CostGraph::Endpoint& endpoint) {
  Json json{{"tensor", endpoint.tensor()}};
  if (!endpoint.tier().empty()) json["tier"] = endpoint.tier();
  return json;
}

}  // namespace

v1::CostGraph parse_cost_message(const std::string& text, const std::string& source) {
  v1::CostGraph message;
  try {
    parse_json(text, message);
  } catch (const Error& error) {
    fail("{}: not a cost graph: {}", source, error.what());
  }
  return message;
}

v1::CostGraph read_cost_message(const std::string& path) {
  return parse_cost_message(read_file(path, kMaxFileBytes), display_name(path));
}

CostGraph read_cost_graph(const std::string& path) {
  return make_cost_graph(read_cost_message(path), display_name(path));
}

std::string cost_message_json(const v1::CostGraph& message) {
  std::string text = "{\"name\": " + Json(message.name()).dump();
  append_list(text, "tiers", message.tiers(), [](const v1::CostGraph::Tier& tier) {
    Json json{{"name", tier.name()}, {"memory_bytes", tier.memory_bytes()}};
    if (tier.slowdown() != 0) json["slowdown"] = tier.slowdown();
    if (tier.power_watts() != 0) json["power_watts"] = tier.power_watts();
    if (tier.block_overhead_ms() != 0) json["block_overhead_ms"] = tier.block_overhead_ms();
    return json;
  });
  append_list(text, "links", message.links(), [](const v1::CostGraph::Link& link) {
    Json json{{"from", link.from()},
              {"to", link.to()},
              {"bytes_per_second", link.bytes_per_second()},
              {"latency_ms", link.latency_ms()}};
    if (link.serialisation_ms_per_byte() != 0) {
      json["serialisation_ms_per_byte"] = link.serialisation_ms_per_byte();
    }
    if (link.joules_per_byte() != 0) json["joules_per_byte"] = link.joules_per_byte();
    return json;
  });
  append_list(text, "tensors", message.tensors(), [](const v1::CostGraph::Tensor& tensor) {
    return Json{{"id", tensor.id()}, {"bytes", tensor.bytes()}};
  });
  append_list(text, "atoms", message.atoms(), atom_json);
  append_list(text, "inputs", message.inputs(), endpoint_json);
  append_list(text, "outputs", message.outputs(), endpoint_json);
  if (message.has_atlas()) {
    std::string atlas;
    const auto status = google::protobuf::util::MessageToJsonString(message.atlas(), &atlas);
    if (!status.ok()) fail("{}: the atlas' ranges: {}", printable(message.name()), reason(status));
    text += ",\n \"atlas\": " + atlas;
  }
  return text + "}\n";
}

}  // namespace adamec::plan
