#include <fmt/format.h>

#include "adamec/base/units.h"
#include "adamec/draw/colours.h"
#include "adamec/draw/html_page.h"
#include "adamec/draw/text.h"
#include "adamec/report/atlas_report.h"

namespace adamec::report {
namespace {

std::string plan_row(const v1::Atlas& atlas, int index) {
  const v1::Atlas::Plan& plan = atlas.plans(index);
  std::string row =
      fmt::format("<tr><td>{}{}</td>",
                  draw::html_swatch(draw::fill_colour(static_cast<std::size_t>(index))), index);
  for (int i = 0; i < plan.where_size(); ++i) {
    const v1::AtlasRange& range = atlas.ranges().ranges(i);
    row += draw::html_cell(format_value(range, plan.where(i).low()) + " – " +
                           format_value(range, plan.where(i).high()));
  }
  for (int tier = 0; tier < atlas.tiers_size(); ++tier) {
    int atoms = 0;
    for (char at : plan.placement()) atoms += static_cast<unsigned char>(at) == tier;
    row += draw::html_number_cell(fmt::format("{}", atoms)) +
           draw::html_number_cell(format_bytes(plan.memory_bytes(tier)));
  }
  return row + "</tr>\n";
}

}  // namespace

std::string atlas_html(const v1::Atlas& atlas, const plan::AtlasTable& table) {
  std::string body = "<p>" + draw::escaped(atlas_summary(atlas)) + ".</p>\n<div class=\"wide\">" +
                     atlas_svg(atlas, table) + "</div>\n";
  body +=
      "<p>Thin lines: what a plan takes where a different one is best. Rest the pointer on an area "
      "or "
      "a line to see which plan it is.</p>\n<h2>Plans</h2>\n<div class=\"wide\"><table>\n<tr>"
      "<th>plan</th>";
  for (const auto& range : atlas.ranges().ranges()) {
    body += "<th>best at " + draw::escaped(plan::range_name(range)) + "</th>";
  }
  for (const std::string& tier : atlas.tiers()) {
    body += "<th>atoms on " + draw::escaped(tier) + "</th><th>memory</th>";
  }
  body += "</tr>\n";
  for (int i = 0; i < atlas.plans_size(); ++i) body += plan_row(atlas, i);
  body += "</table></div>\n";
  return draw::html_page("Atlas of " + atlas.name(), body);
}

}  // namespace adamec::report
