#include "adamec/plan/context/atlas_section.h"

#include <charconv>
#include <cmath>
#include <functional>
#include <set>

#include "adamec/base/error.h"
#include "adamec/base/units.h"
#include "adamec/plan/context/yaml_fields.h"

namespace adamec::plan {
namespace {

using Parse = std::function<double(const std::string& text, const std::string& field)>;

double plain_number(const std::string& text, const std::string& field) {
  double value = 0;
  const char* end = text.data() + text.size();
  const auto [rest, error] = std::from_chars(text.data(), end, value);
  if (error != std::errc() || rest != end || !std::isfinite(value) || value < 0) {
    fail("{}: '{}' is not a number", field, printable(text));
  }
  return value;
}

double bytes(const std::string& text, const std::string& field) {
  return static_cast<double>(parse_bytes(text, field));
}

class AtlasParser {
 public:
  AtlasParser(const YAML::Node& node, const Context& context)
      : context_(context),
        fields_(node, context.source, "atlas",
                {"bandwidth", "latency", "load", "slowdown", "memory", "switching", "tolerance"}) {}

  v1::AtlasRanges parse() {
    add_links("bandwidth", v1::AtlasRange::BANDWIDTH, parse_bandwidth);
    add_links("latency", v1::AtlasRange::LATENCY, parse_duration_ms);
    add_tiers("load", v1::AtlasRange::LOAD, plain_number);
    add_tiers("slowdown", v1::AtlasRange::SLOWDOWN, plain_number);
    add_tiers("memory", v1::AtlasRange::MEMORY, bytes);
    if (fields_.has("switching")) add_switching();
    result_.set_tolerance(fields_.number("tolerance", 0, 0, 1, "a share from 0 to 1"));
    if (result_.ranges().empty()) {
      fail("{}: expected a range of bandwidth, latency, load, slowdown or memory",
           fields_.field("ranges"));
    }
    return std::move(result_);
  }

 private:
  // "low..high" into the newest range.
  void add_range(const YAML::Node& node, const std::string& field, v1::AtlasRange& range,
                 const Parse& parse) const {
    const std::string text = node.IsScalar() ? node.Scalar() : "";
    const auto dots = text.find("..");
    if (dots == std::string::npos || dots == 0 || dots + 2 == text.size()) {
      fail("{}: '{}' is not a range (expected low..high)", field, printable(text));
    }
    range.set_low(parse(text.substr(0, dots), field));
    range.set_high(parse(text.substr(dots + 2), field));
    if (!(range.low() < range.high())) {
      fail("{}: '{}' is not a range: its ends do not ascend", field, printable(text));
    }
  }

  v1::AtlasRange& new_range(v1::AtlasRange::Quantity quantity) {
    result_.add_ranges()->set_quantity(quantity);
    return *result_.mutable_ranges()->rbegin();
  }

  // Calls visit(name, node, field) for the entries of the mapping under `key`.
  template <typename Visit>
  void for_each_entry(const YAML::Node& node, const std::string& where, Visit visit) const {
    if (!node.IsMap()) fail("{}: expected a mapping", where);
    std::set<std::string> seen;
    for (const auto& entry : node) {
      const std::string name = entry.first.IsScalar() ? entry.first.Scalar() : "";
      if (!seen.insert(name).second) {
        fail("{}: key '{}' is given twice", where, printable(name));
      }
      visit(name, entry.second, where + "." + printable(name));
    }
  }

  void add_links(const char* key, v1::AtlasRange::Quantity quantity, const Parse& parse) {
    if (!fields_.has(key)) return;
    const YAML::Node node = fields_.require(key);
    if (!node.IsMap()) {
      if (context_.links.empty()) fail("{}: there are no links", fields_.field(key));
      return add_range(node, fields_.field(key), new_range(quantity), parse);
    }
    for_each_entry(node, fields_.field(key),
                   [&](const std::string& name, const YAML::Node& value, const std::string& field) {
                     v1::AtlasRange& range = new_range(quantity);
                     set_link(name, field, range);
                     add_range(value, field, range, parse);
                   });
  }

  void set_link(const std::string& name, const std::string& field, v1::AtlasRange& range) const {
    std::string known;
    for (const LinkContext& link : context_.links) {
      const std::string candidate = link.from + "->" + link.to;
      if (candidate == name) {
        range.set_from(link.from);
        range.set_to(link.to);
        return;
      }
      known += (known.empty() ? "" : ", ") + printable(candidate);
    }
    fail("{}: unknown link (known: {})", field, known);
  }

  const TierContext& tier(const std::string& name, const std::string& field) const {
    for (const TierContext& candidate : context_.tiers) {
      if (candidate.name == name) return candidate;
    }
    fail("{}: unknown tier '{}'", field, printable(name));
  }

  void add_tiers(const char* key, v1::AtlasRange::Quantity quantity, const Parse& parse) {
    if (!fields_.has(key)) return;
    for_each_entry(fields_.require(key), fields_.field(key),
                   [&](const std::string& name, const YAML::Node& value, const std::string& field) {
                     const TierContext& of = tier(name, field);
                     v1::AtlasRange& range = new_range(quantity);
                     range.set_tier(name);
                     add_range(value, field, range, parse);
                     if (quantity == v1::AtlasRange::SLOWDOWN) range.set_base(of.slowdown);
                     if (quantity != v1::AtlasRange::LOAD) return;
                     if (range.high() > 1) fail("{}: a load is at most 1", field);
                     for (double load : load_knots(range.low(), range.high())) {
                       range.add_knots()->set_load(load);
                     }
                   });
  }

  void add_switching() {
    const YamlFields switching(fields_.require("switching"), context_.source, "atlas.switching",
                               {"bandwidth", "runs"});
    result_.set_runs(switching.number("runs", 1, 1, 1e12, "a number of runs, at least 1"));
    const auto add = [&](const std::string& name, const std::string& text,
                         const std::string& field) {
      auto* rate = result_.add_load_rates();
      rate->set_tier(name);
      rate->set_bytes_per_second(parse_bandwidth(text, field));
    };
    const YAML::Node rates = switching.require("bandwidth");
    const std::string where = switching.field("bandwidth");
    if (!rates.IsMap()) {
      for (const TierContext& of : context_.tiers) add(of.name, switching.text("bandwidth"), where);
      return;
    }
    for_each_entry(rates, where,
                   [&](const std::string& name, const YAML::Node& value, const std::string& field) {
                     tier(name, field);
                     add(name, value.IsScalar() ? value.Scalar() : "", field);
                   });
  }

  const Context& context_;
  YamlFields fields_;
  v1::AtlasRanges result_;
};

}  // namespace

v1::AtlasRanges parse_atlas_ranges(const YAML::Node& node, const Context& context) {
  return AtlasParser(node, context).parse();
}

std::vector<double> load_knots(double low, double high) {
  std::vector<double> knots{low};
  for (int tenth = 1; tenth < 10; ++tenth) {
    const double load = tenth / 10.0;
    if (load > low && load < high) knots.push_back(load);
  }
  knots.push_back(high);
  return knots;
}

}  // namespace adamec::plan
