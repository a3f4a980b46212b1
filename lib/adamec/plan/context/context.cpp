#include "adamec/plan/context/context.h"

#include <fnmatch.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <set>

#include "adamec/base/error.h"
#include "adamec/base/file.h"
#include "adamec/base/units.h"
#include "adamec/plan/context/atlas_section.h"
#include "adamec/plan/context/yaml_fields.h"

namespace adamec::plan {
namespace {

constexpr std::uint64_t kMaxFileBytes = 16 << 20;
constexpr double kMaxThreads = 4096;

class Parser {
 public:
  Parser(std::string source, std::string folder)
      : source_(std::move(source)), folder_(std::move(folder)) {}

  Context parse(const YAML::Node& root) {
    context_.source = source_;
    const YamlFields top(root, source_, "the context",
                         {"tiers", "links", "input", "output", "constraints", "atlas"});
    for (const YAML::Node& tier : list(top.require("tiers"), "tiers")) add_tier(tier);
    if (context_.tiers.empty()) fail("{}: tiers: expected at least one", source_);
    if (top.has("links")) {
      for (const YAML::Node& link : list(top.require("links"), "links")) add_link(link);
    }
    context_.input = tier_name(top, "input", "");
    if (top.has("output")) context_.output = tier_name(top, "output", "");
    if (top.has("constraints")) add_constraints(top.require("constraints"));
    if (top.has("atlas")) context_.atlas = parse_atlas_ranges(top.require("atlas"), context_);
    return std::move(context_);
  }

 private:
  std::vector<YAML::Node> list(const YAML::Node& node, const char* what) const {
    if (!node.IsSequence()) fail("{}: {}: expected a list", at_line(source_, node), what);
    return {node.begin(), node.end()};
  }

  // A tier's name that is defined under `tiers`.
  std::string tier_name(const YamlFields& fields, const char* key, const std::string& where) const {
    const std::string name = fields.text(key);
    check_tier(name, where.empty() ? at_line(source_, fields.require(key)) + ": " + key
                                   : fields.field(key));
    return name;
  }

  void check_tier(const std::string& name, const std::string& field) const {
    std::string known;
    for (const TierContext& tier : context_.tiers) {
      if (tier.name == name) return;
      known += (known.empty() ? "" : ", ") + printable(tier.name);
    }
    fail("{}: unknown tier '{}' (known: {})", field, printable(name), known);
  }

  void add_tier(const YAML::Node& node) {
    const std::string where = fmt::format("tiers[{}]", context_.tiers.size());
    const YamlFields fields(
        node, source_, where,
        {"name", "predictor", "host", "threads", "cpu_load", "slowdown", "memory", "power"});
    TierContext tier;
    tier.name = fields.text("name");
    for (const TierContext& other : context_.tiers) {
      if (other.name == tier.name) {
        fail("{}: two tiers have the name '{}'", fields.field("name"), printable(tier.name));
      }
    }
    tier.predictor = fields.text("predictor");
    if (std::filesystem::path(tier.predictor).is_relative()) {
      tier.predictor = (std::filesystem::path(folder_) / tier.predictor).string();
    }
    tier.host = fields.text("host", "");
    const char* whole = "a number of threads (a whole number from 1 to 4096)";
    const double threads = fields.number("threads", 1, 1, kMaxThreads, whole);
    if (threads != std::floor(threads)) {
      fail("{}: '{}' is not {}", fields.field("threads"), threads, whole);
    }
    tier.threads = static_cast<unsigned>(threads);
    tier.cpu_load = fields.number("cpu_load", 0, 0, 1, "a load from 0 to 1");
    tier.slowdown = fields.number("slowdown", 1, 1e-6, 1e6, "a factor from 1e-6 to 1e6");
    if (fields.has("memory")) {
      tier.memory_bytes = parse_bytes(fields.text("memory"), fields.field("memory"));
      if (tier.memory_bytes == 0) {
        fail("{}: 0 bytes (leave it out for unlimited memory)", fields.field("memory"));
      }
    }
    if (fields.has("power")) {
      tier.power_watts = parse_power_watts(fields.text("power"), fields.field("power"));
    }
    context_.tiers.push_back(std::move(tier));
  }

  void add_link(const YAML::Node& node) {
    const std::string where = fmt::format("links[{}]", context_.links.size());
    const YamlFields fields(node, source_, where,
                            {"from", "to", "bandwidth", "latency", "energy", "serialisation"});
    LinkContext link;
    link.from = tier_name(fields, "from", where);
    link.to = tier_name(fields, "to", where);
    if (link.from == link.to) {
      fail("{}: connects '{}' with itself", fields.field("to"), printable(link.to));
    }
    for (const LinkContext& other : context_.links) {
      if (other.from == link.from && other.to == link.to) {
        fail("{}: {}: two links lead from '{}' to '{}'", at_line(source_, node), where,
             printable(link.from), printable(link.to));
      }
    }
    link.bytes_per_second = parse_bandwidth(fields.text("bandwidth"), fields.field("bandwidth"));
    if (fields.has("latency")) {
      link.latency_ms = parse_duration_ms(fields.text("latency"), fields.field("latency"));
    }
    if (fields.has("energy")) {
      link.joules_per_byte = parse_energy_per_byte(fields.text("energy"), fields.field("energy"));
    }
    if (fields.has("serialisation")) {
      link.serialisation_ms_per_byte =
          1e3 / parse_bandwidth(fields.text("serialisation"), fields.field("serialisation"));
    }
    context_.links.push_back(std::move(link));
  }

  void add_constraints(const YAML::Node& node) {
    const YamlFields fields(node, source_, "constraints", {"deadline", "keep_input_on", "pin"});
    Constraints& constraints = context_.constraints;
    if (fields.has("deadline")) {
      constraints.deadline_ms =
          parse_duration_ms(fields.text("deadline"), fields.field("deadline"));
    }
    if (fields.has("keep_input_on")) {
      constraints.keep_input_on = tier_name(fields, "keep_input_on", "constraints");
    }
    if (!fields.has("pin")) return;
    const YAML::Node pins = fields.require("pin");
    if (!pins.IsMap()) fail("{}: expected a mapping of atom to tier", fields.field("pin"));
    std::set<std::string> seen;
    for (const auto& entry : pins) {
      const std::string field = at_line(source_, entry.first) + ": constraints.pin";
      if (!entry.first.IsScalar() || !entry.second.IsScalar()) {
        fail("{}: expected a mapping of atom to tier", field);
      }
      const PinRule rule{entry.first.Scalar(), entry.second.Scalar()};
      if (!seen.insert(rule.pattern).second) {
        fail("{}: key '{}' is given twice", field, printable(rule.pattern));
      }
      check_tier(rule.tier, field);
      constraints.pins.push_back(rule);
    }
  }

  std::string source_;
  std::string folder_;
  Context context_;
};

}  // namespace

Context parse_context(const std::string& text, const std::string& source,
                      const std::string& folder) {
  try {
    return Parser(source, folder).parse(YAML::Load(text));
  } catch (const YAML::Exception& error) {
    fail("{}:{}: not YAML: {}", source, std::max(error.mark.line, 0) + 1, printable(error.msg));
  }
}

Context read_context(const std::string& path) {
  const std::string folder =
      path == "-" ? std::string() : std::filesystem::path(path).parent_path().string();
  return parse_context(read_file(path, kMaxFileBytes), display_name(path), folder);
}

void apply_pins(const Context& context, v1::CostGraph& costs) {
  std::vector<PinRule> rules = context.constraints.pins;
  std::vector<char> used(rules.size(), 0);
  std::set<std::string> inputs;
  for (const auto& input : costs.inputs()) inputs.insert(input.tensor());
  for (v1::CostGraph::Atom& atom : *costs.mutable_atoms()) {
    const auto pin = [&](const std::string& tier, const std::string& why) {
      if (!atom.tiers().empty() && atom.tiers(0) != tier) {
        fail("{}: {}: atom '{}' is pinned to '{}' and to '{}'", context.source, why,
             printable(atom.id()), printable(atom.tiers(0)), printable(tier));
      }
      if (atom.tiers().empty()) atom.add_tiers(tier);
    };
    const bool reads_input = std::any_of(atom.inputs().begin(), atom.inputs().end(),
                                         [&](const auto& id) { return inputs.count(id) > 0; });
    if (reads_input && !context.constraints.keep_input_on.empty()) {
      pin(context.constraints.keep_input_on, "constraints.keep_input_on");
    }
    for (std::size_t i = 0; i < rules.size(); ++i) {
      if (::fnmatch(rules[i].pattern.c_str(), atom.id().c_str(), 0) != 0) continue;
      used[i] = 1;
      pin(rules[i].tier, "constraints.pin");
    }
  }
  for (std::size_t i = 0; i < rules.size(); ++i) {
    if (!used[i]) {
      fail("{}: constraints.pin: no atom matches '{}'", context.source,
           printable(rules[i].pattern));
    }
  }
}

}  // namespace adamec::plan
