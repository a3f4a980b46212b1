#include "adamec/train/validation_html.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>

#include "adamec/draw/plot.h"

namespace adamec::train {
namespace {

constexpr std::size_t kMostPoints = 4000;  // of a plot: more only make the page slow
constexpr std::size_t kMostBoxes = 30;
constexpr int kOthers = 8;  // series of the operators without a colour of their own

constexpr const char* kStyle = R"(
:root { color-scheme: light dark; --ink: #1c2733; --soft: #67727e; --grid: #e3e7eb; --paper: #fff; }
@media (prefers-color-scheme: dark) {
  :root { --ink: #e6e9ec; --soft: #9aa5b1; --grid: #333c46; --paper: #161b21; } }
body { font: 15px/1.5 system-ui, sans-serif; color: var(--ink); background: var(--paper);
       margin: 2rem auto; max-width: 1320px; padding: 0 1.5rem; }
h1 { font-size: 1.6rem; margin-bottom: 0; } h2 { font-size: 1.1rem; margin: 0 0 .3rem; }
p, dt { color: var(--soft); margin: .2rem 0; } dl { display: grid; grid-template-columns: max-content 1fr;
       gap: 0 1rem; margin: 1rem 0; } dd { margin: 0; }
.plots { display: grid; grid-template-columns: repeat(auto-fit, minmax(480px, 1fr)); gap: 2rem;
         margin: 1.5rem 0; }
svg { width: 100%; height: auto; font: 11px system-ui, sans-serif; }
svg text { fill: var(--ink); }
table { border-collapse: collapse; margin: 1rem 0 2rem; font-variant-numeric: tabular-nums; }
th, td { padding: .2rem .8rem; text-align: right; border-bottom: 1px solid var(--grid); }
th:first-child, td:first-child { text-align: left; } th { color: var(--soft); font-weight: 500; }
tr.total td { font-weight: 600; }
.axis { stroke: var(--soft); } .grid { stroke: var(--grid); }
.line { stroke: #2466a8; stroke-width: 2; fill: none; }
.ceiling { stroke: #d1822b; stroke-width: 2; stroke-dasharray: 6 4; fill: none; }
.ideal { stroke: var(--soft); stroke-dasharray: 3 3; fill: none; }
.band { fill: #2466a8; fill-opacity: .1; } .box { fill: #2466a8; fill-opacity: .35; }
circle { fill-opacity: .6; }
.s0 { fill: #2466a8; } .s1 { fill: #d1822b; } .s2 { fill: #2f8f5b; } .s3 { fill: #b3406a; }
.s4 { fill: #7a58b5; } .s5 { fill: #0e8a94; } .s6 { fill: #a58a1d; } .s7 { fill: #8a4b2a; }
.s8 { fill: #8c96a0; }
.legend span { display: inline-block; margin-right: 1rem; white-space: nowrap; }
.legend svg { width: 10px; height: 10px; }
)";

std::string group_of(const Outcome& outcome) {
  switch (outcome.subject) {
    case Outcome::Subject::kBlock:
      return "blocks";
    case Outcome::Subject::kModel:
      return "whole models";
    case Outcome::Subject::kAtom:
      break;
  }
  return outcome.operator_key;
}

using Groups = std::vector<std::pair<std::string, std::vector<const Outcome*>>>;

// Largest first.
Groups groups_of(std::span<const Outcome> outcomes) {
  std::map<std::string, std::vector<const Outcome*>> by_name;
  for (const Outcome& outcome : outcomes) by_name[group_of(outcome)].push_back(&outcome);
  Groups groups(by_name.begin(), by_name.end());
  std::stable_sort(groups.begin(), groups.end(),
                   [](const auto& a, const auto& b) { return a.second.size() > b.second.size(); });
  return groups;
}

std::string scatter(std::span<const Outcome> outcomes, const Groups& groups) {
  std::map<std::string, int> series;
  for (const auto& [name, group] : groups) {
    series.emplace(name, std::min(static_cast<int>(series.size()), kOthers));
  }
  double least = std::numeric_limits<double>::infinity();
  double most = 0;
  for (const Outcome& outcome : outcomes) {
    least = std::min({least, outcome.measured_us, outcome.predicted_us});
    most = std::max({most, outcome.measured_us, outcome.predicted_us});
  }
  const draw::PlotAxis x{"measured, us", true, least * 0.8, most * 1.25};
  const draw::PlotAxis y{"predicted, us", true, least * 0.8, most * 1.25};
  const std::size_t step = (outcomes.size() + kMostPoints - 1) / kMostPoints;
  std::vector<draw::PlotPoint> points;
  for (std::size_t i = 0; i < outcomes.size(); i += step) {
    const Outcome& outcome = outcomes[i];
    points.push_back({outcome.measured_us, outcome.predicted_us, series.at(group_of(outcome)),
                      fmt::format("{} ({}), {} threads, load {}: {:.4g} us measured, {:.4g} us "
                                  "predicted",
                                  outcome.name, group_of(outcome), outcome.threads,
                                  outcome.cpu_load, outcome.measured_us, outcome.predicted_us)});
  }
  std::string legend = "<p class=\"legend\">";
  for (const auto& [name, group] : groups) {
    const int own = series.at(name);
    if (own == kOthers) break;
    legend += fmt::format(
        "<span><svg viewBox=\"0 0 10 10\"><circle class=\"s{}\" cx=\"5\" "
        "cy=\"5\" r=\"4\"/></svg> {}</span>\n",
        own, draw::html_escaped(name));
  }
  if (groups.size() > kOthers) {
    legend +=
        "<span><svg viewBox=\"0 0 10 10\"><circle class=\"s8\" cx=\"5\" cy=\"5\" "
        "r=\"4\"/></svg> others</span>";
  }
  if (step > 1) legend += fmt::format("<span>every {}th of {}</span>", step, outcomes.size());
  return draw::scatter_svg(x, y, points, 0.1) + legend + "</p>\n";
}

double quantile(const std::vector<double>& sorted, double part) {
  const double at = part * static_cast<double>(sorted.size() - 1);
  const auto below = static_cast<std::size_t>(at);
  const std::size_t above = std::min(below + 1, sorted.size() - 1);
  return sorted[below] + (at - static_cast<double>(below)) * (sorted[above] - sorted[below]);
}

std::string boxes(const Groups& groups) {
  std::vector<draw::PlotBox> rows;
  for (const auto& [name, group] : groups) {
    if (rows.size() == kMostBoxes) break;
    std::vector<double> errors;
    for (const Outcome* outcome : group) {
      errors.push_back(100 * (outcome->predicted_us / outcome->measured_us - 1));
    }
    std::sort(errors.begin(), errors.end());
    draw::PlotBox box{name, errors.size(), {}};
    int i = 0;
    for (const double part : {0.05, 0.25, 0.5, 0.75, 0.95}) {
      box.quantiles[i++] = quantile(errors, part);
    }
    rows.push_back(box);
  }
  return draw::boxes_svg({"predicted more (right) or less (left) than measured, %", false, -50, 50},
                         rows);
}

// Share of values up to each percentage.
std::vector<std::pair<double, double>> cumulative(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  std::vector<std::pair<double, double>> points;
  for (int percent = 0; percent <= 30 && !values.empty(); ++percent) {
    const auto below = std::upper_bound(values.begin(), values.end(), percent) - values.begin();
    points.emplace_back(percent,
                        100.0 * static_cast<double>(below) / static_cast<double>(values.size()));
  }
  return points;
}

std::string within(std::span<const Outcome> outcomes) {
  std::vector<double> errors;
  std::vector<double> repeats;
  for (const Outcome& outcome : outcomes) {
    errors.push_back(100 * std::abs(outcome.predicted_us / outcome.measured_us - 1));
    if (outcome.repeat_ratio > 0) repeats.push_back(100 * std::abs(outcome.repeat_ratio - 1));
  }
  return draw::lines_svg({"error, %", false, 0, 30}, {"share within it, %", false, 0, 100},
                         {{"measurements repeat", "ceiling", cumulative(repeats)},
                          {"predictions", "line", cumulative(errors)}});
}

// For each nominal probability, how many measurements lie below the quantile that the other folds'
// errors give.
std::string calibration(std::span<const Outcome> outcomes) {
  std::map<std::size_t, std::vector<double>> by_fold;
  for (const Outcome& outcome : outcomes) by_fold[outcome.fold].push_back(outcome.log_error());
  std::vector<std::pair<double, double>> points;
  for (int percent = 5; percent <= 95 && by_fold.size() > 1; percent += 5) {
    std::size_t below = 0;
    for (const auto& [fold, errors] : by_fold) {
      std::vector<double> others;
      for (const auto& [other, values] : by_fold) {
        if (other != fold) others.insert(others.end(), values.begin(), values.end());
      }
      std::sort(others.begin(), others.end());
      const double bound = quantile(others, percent / 100.0);
      below += static_cast<std::size_t>(
          std::count_if(errors.begin(), errors.end(), [&](double e) { return e <= bound; }));
    }
    points.emplace_back(percent,
                        100.0 * static_cast<double>(below) / static_cast<double>(outcomes.size()));
  }
  return draw::lines_svg(
      {"nominal, %", false, 0, 100}, {"measured below, %", false, 0, 100},
      {{"perfect", "ideal", {{0, 0}, {100, 100}}}, {"observed", "line", points}});
}

std::string table_html(std::span<const Accuracy> table) {
  std::string html =
      "<table><tr><th>left out</th><th>count</th><th>within 5 %</th><th>10 %</th><th>15 %</th>"
      "<th>MAPE</th><th>median</th><th>RMSPE</th><th>below p95</th><th>repeats in 5 %</th>"
      "<th>repeats in 10 %</th></tr>\n";
  const auto cell = [](double value) {
    return std::isnan(value) ? std::string("<td>-</td>") : fmt::format("<td>{:.1f}</td>", value);
  };
  for (const Accuracy& row : table) {
    const bool total = row.group == "all" || row.group == "blocks" || row.group == "models";
    html +=
        fmt::format("<tr{}><td>{}</td><td>{}</td>", total ? " class=\"total\"" : "",
                    draw::html_escaped(row.group == "all" ? "all atoms" : row.group), row.count);
    for (const double value :
         {row.within_5, row.within_10, row.within_15, row.mape, row.median_ape, row.rmspe,
          row.p95_coverage, row.repeat_within_5, row.repeat_within_10}) {
      html += cell(value);
    }
    html += "</tr>\n";
  }
  return html + "</table>\n";
}

std::string section(const char* title, const char* text, const std::string& plot) {
  return fmt::format("<section><h2>{}</h2><p>{}</p>\n{}</section>\n", title, text, plot);
}

}  // namespace

std::string validation_html(const ValidationReport& report) {
  std::string html = fmt::format(
      "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">"
      "<meta name=\"viewport\" content=\"width=device-width\">\n<title>{0}</title>\n"
      "<style>{1}</style></head><body>\n<h1>{0}</h1>\n<p>{2}</p>\n<dl>",
      draw::html_escaped(report.title), kStyle, draw::html_escaped(report.subtitle));
  for (const auto& [name, value] : report.facts) {
    html += fmt::format("<dt>{}</dt><dd>{}</dd>\n", draw::html_escaped(name),
                        draw::html_escaped(value));
  }
  html += "</dl>\n";
  if (report.outcomes.empty()) {
    html += "<p>Too little was measured to leave anything out.</p>\n";
  } else {
    const Groups groups = groups_of(report.outcomes);
    html += "<div class=\"plots\">\n";
    html += section("Predicted against measured", "The band is 10 %.",
                    scatter(report.outcomes, groups));
    html += section("Within an error", "No predictor does better than measurements repeat.",
                    within(report.outcomes));
    html +=
        section("Errors by operator",
                "Median, half and nine tenths of the predictions; number of them.", boxes(groups));
    html += section("Calibration", "Quantiles from the other folds.", calibration(report.outcomes));
    html += "</div>\n" + table_html(report.table);
  }
  return html + "</body></html>\n";
}

}  // namespace adamec::train
