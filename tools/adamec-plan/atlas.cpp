#include "tools/adamec-plan/atlas.h"

#include <charconv>
#include <cmath>

#include "adamec/base/error.h"
#include "adamec/base/file.h"
#include "adamec/base/units.h"
#include "adamec/report/atlas_report.h"
#include "tools/adamec-plan/bundle.h"

namespace adamec::tools {
namespace {

std::string text_of(const v1::Atlas& atlas, const plan::AtlasTable& table, Format format) {
  switch (format) {
    case Format::kProtobuf:
      return atlas.SerializeAsString();
    case Format::kHeader:
      return report::atlas_header(atlas, table);
    case Format::kJson:
      return report::to_json(report::atlas_document(atlas, table));
    case Format::kYaml:
      break;
  }
  return report::to_yaml(report::atlas_document(atlas, table));
}

// An atlas none of whose plans ever meets the deadline is of no use.
void check_deadline(const PlanInput& input, const v1::Atlas& atlas, const plan::AtlasTable& table) {
  if (!input.deadline_ms) return;
  std::vector<double> best;
  for (const v1::AtlasRange& range : atlas.ranges().ranges()) {
    const bool more_is_better =
        range.quantity() == v1::AtlasRange::BANDWIDTH || range.quantity() == v1::AtlasRange::MEMORY;
    best.push_back(more_is_better ? range.high() : range.low());
  }
  const double latency = plan::advise(table.table(), best.data(), -1).latency_ms;
  if (latency <= *input.deadline_ms) return;
  fail_with(ErrorKind::kInfeasible,
            "{}: constraints.deadline: even at the best end of all ranges the best plan takes "
            "{:.6g} ms, {:.6g} ms more than {:.6g} ms",
            input.costs.source, latency, latency - *input.deadline_ms, *input.deadline_ms);
}

double parse_value(const v1::AtlasRange& range, const std::string& text) {
  const std::string field = "--at: " + plan::range_name(range);
  switch (range.quantity()) {
    case v1::AtlasRange::BANDWIDTH:
      return parse_bandwidth(text, field);
    case v1::AtlasRange::LATENCY:
      return parse_duration_ms(text, field);
    case v1::AtlasRange::MEMORY:
      return static_cast<double>(parse_bytes(text, field));
    default:
      break;
  }
  double value = 0;
  const char* end = text.data() + text.size();
  const auto [rest, error] = std::from_chars(text.data(), end, value);
  if (error != std::errc() || rest != end || !std::isfinite(value) || value < 0) {
    fail("{}: '{}' is not a number", field, printable(text));
  }
  return value;
}

// The middle of a range; the geometric one where factors count.
double middle(const v1::AtlasRange& range) {
  const bool factors = range.quantity() == v1::AtlasRange::BANDWIDTH;
  return factors ? std::sqrt(range.low() * range.high()) : (range.low() + range.high()) / 2;
}

std::vector<double> values_at(const v1::Atlas& atlas, const std::vector<std::string>& at) {
  std::vector<double> values;
  std::string known;
  for (const v1::AtlasRange& range : atlas.ranges().ranges()) {
    values.push_back(middle(range));
    known += (known.empty() ? "" : ", ") + printable(plan::range_name(range));
  }
  for (const std::string& entry : at) {
    const auto equals = entry.find('=');
    const std::string name = entry.substr(0, equals);
    int found = -1;
    for (int i = 0; i < atlas.ranges().ranges_size(); ++i) {
      if (plan::range_name(atlas.ranges().ranges(i)) == name) found = i;
    }
    if (equals == std::string::npos || found < 0) {
      fail_with(ErrorKind::kUsage, "--at: '{}' is not NAME=VALUE with one of the names {}",
                printable(entry), known);
    }
    try {
      values[found] = parse_value(atlas.ranges().ranges(found), entry.substr(equals + 1));
    } catch (const Error& error) {
      throw Error(ErrorKind::kUsage, error.what());
    }
  }
  return values;
}

}  // namespace

int run_atlas(const PlanInput& input, const PlanConfig& config, const CommonOptions& common,
              const Console& console) {
  if (!input.atlas) {
    fail("{}: there is no section `atlas` that says what may change",
         config.context.empty() ? input.costs.source : display_name(config.context));
  }
  const plan::AtlasRanges ranges = plan::make_ranges(*input.atlas, input.costs, input.costs.source);
  plan::AtlasLimits limits;
  limits.search = search_limits(config);
  const plan::Atlas made = plan::make_atlas(input.costs, ranges, limits);
  const v1::Atlas atlas =
      plan::atlas_message(input.costs, *input.atlas, made, input.deadline_ms.value_or(0));
  const plan::AtlasTable table(atlas, input.costs.source);
  check_deadline(input, atlas, table);
  if (!config.extra.bundle.empty()) {
    const plan::Evaluator evaluator(input.costs);
    std::vector<plan::Plan> plans;
    for (const plan::AtlasPlan& plan : made.plans) {
      plans.push_back(plan::score_plan(evaluator, plan.placement, 0));
    }
    if (const int code = make_bundle(input, config, plans, atlas.SerializeAsString())) return code;
  }
  if (!config.extra.html.empty()) write_file(config.extra.html, report::atlas_html(atlas, table));
  if (!config.extra.svg.empty()) write_file(config.extra.svg, report::atlas_svg(atlas, table));
  write_file(config.output, text_of(atlas, table, config.format));
  console.note(report::atlas_summary(atlas));
  console.detail(fmt::format("{} single plans were searched", made.searches));
  write_depfile(common, config.output, input.files);
  return kDone;
}

void run_lookup(const PlanConfig& config, const CommonOptions& common) {
  const std::string& file = config.extra.lookup;
  const v1::Atlas atlas = plan::read_atlas(file);
  const plan::AtlasTable table(atlas, display_name(file));
  if (config.extra.current >= atlas.plans_size()) {
    fail_with(ErrorKind::kUsage, "--current: {} has no plan {} (it has {})", display_name(file),
              config.extra.current, atlas.plans_size());
  }
  const std::vector<double> values = values_at(atlas, config.extra.at);
  const report::Document advice =
      report::advice_document(atlas, table, values, config.extra.current);
  if (advice.at("plan").is_null()) {
    fail_with(ErrorKind::kInfeasible, "{}: no plan fits into that little memory",
              display_name(file));
  }
  write_file(config.output,
             config.format == Format::kJson ? report::to_json(advice) : report::to_yaml(advice));
  write_depfile(common, config.output, {file});
}

}  // namespace adamec::tools
