#include <fmt/format.h>

#include "adamec/report/atlas_report.h"

namespace adamec::report {
namespace {

// Shortest text that reads back equal, and is a floating literal.
std::string literal(double value) {
  std::string text = fmt::format("{}", value);
  if (text.find_first_of(".e") == std::string::npos) text += ".0";
  return text;
}

std::string array(const std::string& name, const double* values, std::size_t count) {
  std::string text = fmt::format("inline constexpr double {}[] = {{", name);
  for (std::size_t i = 0; i < count; ++i) {
    text += (i % 6 == 0 ? "\n    " : " ") + literal(values[i]) + ',';
  }
  return text + "\n};\n";
}

const char* kind(plan::LookupRange::Kind value) {
  switch (value) {
    case plan::LookupRange::kReciprocal:
      return "kReciprocal";
    case plan::LookupRange::kLinear:
      return "kLinear";
    case plan::LookupRange::kKnots:
      return "kKnots";
    default:
      return "kMemory";
  }
}

}  // namespace

std::string atlas_header(const v1::Atlas& atlas, const plan::AtlasTable& owner) {
  const plan::LookupTable& table = owner.table();
  std::string text =
      "// Written by adamec-plan --atlas --format header.\n#pragma once\n\n"
      "#include \"adamec/plan/atlas_lookup.h\"\n\nnamespace adamec_atlas {\n\n";
  std::string ranges;
  std::size_t columns = 1;
  for (std::uint32_t i = 0; i < table.range_count; ++i) {
    const plan::LookupRange& range = table.ranges[i];
    std::string knots = "nullptr";
    if (range.knot_count > 0) {
      knots = fmt::format("kKnots{}", i);
      text += array(knots, range.knots, range.knot_count);
    }
    if (range.kind != plan::LookupRange::kMemory) {
      columns = range.column + std::max<std::size_t>(range.knot_count, 1);
    }
    ranges += fmt::format(
        "    {{adamec::plan::LookupRange::{}, {}, {}, {}, {}, {}}},  // values[{}]: {}\n",
        kind(range.kind), range.column, range.knot_count, knots, literal(range.low),
        literal(range.high), i, plan::range_name(atlas.ranges().ranges(static_cast<int>(i))));
  }
  text += "inline constexpr adamec::plan::LookupRange kRanges[] = {\n" + ranges + "};\n";
  text += array("kFeatures", table.features, columns * table.stride);
  if (table.needs != nullptr) text += array("kNeeds", table.needs, table.plan_count);
  text += array("kSwitchMs", table.switch_ms, std::size_t{table.plan_count} * table.stride);
  text += fmt::format(
      "inline constexpr adamec::plan::LookupTable kTable = {{\n"
      "    {}, {}, {}, kRanges, kFeatures, {}, kSwitchMs, {}}};\n\n}}  // namespace adamec_atlas\n",
      table.plan_count, table.stride, table.range_count,
      table.needs != nullptr ? "kNeeds" : "nullptr", literal(table.runs));
  return text;
}

}  // namespace adamec::report
