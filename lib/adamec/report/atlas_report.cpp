#include "adamec/report/atlas_report.h"

#include <fmt/format.h>

#include "adamec/base/error.h"
#include "adamec/base/units.h"

namespace adamec::report {
namespace {

const char* unit(const v1::AtlasRange& range) {
  switch (range.quantity()) {
    case v1::AtlasRange::BANDWIDTH:
      return "bytes_per_second";
    case v1::AtlasRange::LATENCY:
      return "ms";
    case v1::AtlasRange::MEMORY:
      return "bytes";
    default:
      return "";
  }
}

Document ranges(const v1::Atlas& atlas) {
  Document document = Document::array();
  for (const v1::AtlasRange& range : atlas.ranges().ranges()) {
    Document entry{{"name", plan::range_name(range)}, {"low", range.low()}, {"high", range.high()}};
    if (*unit(range) != '\0') entry["unit"] = unit(range);
    if (!range.knots().empty()) {
      Document knots = Document::array();
      for (const auto& knot : range.knots()) knots.push_back(knot.load());
      entry["knots"] = std::move(knots);
    }
    document.push_back(std::move(entry));
  }
  return document;
}

Document placement(const v1::Atlas& atlas, const v1::Atlas::Plan& plan) {
  Document runs = Document::array();
  const std::string& tiers = plan.placement();
  for (std::size_t first = 0; first < tiers.size();) {
    const std::size_t found = tiers.find_first_not_of(tiers[first], first);
    const std::size_t end = found == std::string::npos ? tiers.size() : found;
    runs.push_back({atlas.tiers(static_cast<unsigned char>(tiers[first])), end - first});
    first = end;
  }
  return runs;
}

Document plans(const v1::Atlas& atlas) {
  Document document = Document::array();
  for (int i = 0; i < atlas.plans_size(); ++i) {
    const v1::Atlas::Plan& plan = atlas.plans(i);
    Document where = Document::object();
    for (int k = 0; k < plan.where_size(); ++k) {
      where[plan::range_name(atlas.ranges().ranges(k))] = {plan.where(k).low(),
                                                           plan.where(k).high()};
    }
    Document memory = Document::object();
    for (int k = 0; k < atlas.tiers_size(); ++k) memory[atlas.tiers(k)] = plan.memory_bytes(k);
    document.push_back({{"plan", i},
                        {"where", std::move(where)},
                        {"features", Document(plan.features())},
                        {"memory_bytes", std::move(memory)},
                        {"placement", placement(atlas, plan)}});
  }
  return document;
}

Document switching(const v1::Atlas& atlas, const plan::AtlasTable& table) {
  Document matrix = Document::array();
  for (int from = 0; from < atlas.plans_size(); ++from) {
    Document row = Document::array();
    for (int to = 0; to < atlas.plans_size(); ++to) row.push_back(table.switch_ms(from, to));
    matrix.push_back(std::move(row));
  }
  return {{"runs", table.table().runs}, {"loading_ms", std::move(matrix)}};
}

}  // namespace

Document atlas_document(const v1::Atlas& atlas, const plan::AtlasTable& table) {
  Document document{{"objective", "latency"}, {"name", atlas.name()}, {"gap", atlas.gap()}};
  if (!atlas.state_tier().empty()) document["state_tier"] = atlas.state_tier();
  if (atlas.deadline_ms() > 0) document["deadline_ms"] = atlas.deadline_ms();
  if (atlas.fits_from_bytes() > 0) document["fits_from_bytes"] = atlas.fits_from_bytes();
  document["ranges"] = ranges(atlas);
  if (!atlas.regions().empty()) {
    Document regions = Document::array();
    for (const auto& region : atlas.regions()) {
      regions.push_back({{"from", region.low()}, {"to", region.high()}, {"plan", region.plan()}});
    }
    document["regions"] = std::move(regions);
  }
  document["plans"] = plans(atlas);
  if (!atlas.ranges().load_rates().empty()) document["switching"] = switching(atlas, table);
  Document atoms = Document::array();
  for (const auto& atom : atlas.atoms()) atoms.push_back(atom.id());
  document["atoms"] = std::move(atoms);
  return document;
}

Document advice_document(const v1::Atlas& atlas, const plan::AtlasTable& table,
                         const std::vector<double>& values, int current) {
  const plan::Advice advice = plan::advise(table.table(), values.data(), current);
  Document document{{"plan", advice.plan < 0 ? Document(nullptr) : Document(advice.plan)}};
  document["change"] = advice.change;
  if (advice.plan < 0) return document;
  document["latency_ms"] = advice.latency_ms;
  if (atlas.deadline_ms() > 0) {
    document["meets_deadline"] = advice.latency_ms <= atlas.deadline_ms();
  }
  if (current >= 0) {
    document["current"] = {{"plan", current},
                           {"latency_ms", plan::latency_ms(table.table(), values.data(), current)}};
  }
  if (advice.change && current >= 0) {
    document["gain_ms"] = advice.gain_ms;
    document["loading_ms"] = table.switch_ms(current, advice.plan);
    Document bytes = Document::object();
    const auto fresh = plan::AtlasTable::new_bytes(atlas, current, advice.plan);
    for (std::size_t i = 0; i < fresh.size(); ++i) {
      bytes[atlas.tiers(static_cast<int>(i))] = fresh[i];
    }
    document["loading_bytes"] = std::move(bytes);
  }
  document["placement"] = placement(atlas, atlas.plans(advice.plan));
  return document;
}

std::string atlas_summary(const v1::Atlas& atlas) {
  std::string text =
      fmt::format("{} plan{}", atlas.plans_size(), atlas.plans_size() == 1 ? "" : "s");
  text += atlas.gap() == 0
              ? ", proven optimal everywhere in the ranges"
              : fmt::format(", at most {:.2g} % above the optimum anywhere in the ranges",
                            100 * atlas.gap());
  if (!atlas.state_tier().empty()) {
    text += fmt::format(" for plans that keep the state on '{}'", printable(atlas.state_tier()));
  }
  if (atlas.fits_from_bytes() > 0) {
    text += "; none fits into less than " +
            format_bytes(static_cast<std::uint64_t>(atlas.fits_from_bytes()));
  }
  return text;
}

std::string format_value(const v1::AtlasRange& range, double value) {
  switch (range.quantity()) {
    case v1::AtlasRange::BANDWIDTH: {
      const double megabits = value * 8e-6;
      return megabits < 1000 ? fmt::format("{:.3g} Mbit/s", megabits)
                             : fmt::format("{:.3g} Gbit/s", megabits / 1000);
    }
    case v1::AtlasRange::LATENCY:
      return format_ms(value);
    case v1::AtlasRange::MEMORY:
      return format_bytes(static_cast<std::uint64_t>(value));
    default:
      return fmt::format("{:.3g}", value);
  }
}

}  // namespace adamec::report
