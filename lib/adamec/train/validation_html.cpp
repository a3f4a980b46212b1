#include "adamec/train/validation_html.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>

#include "adamec/draw/chart.h"
#include "adamec/draw/colours.h"
#include "adamec/draw/html_page.h"
#include "adamec/draw/text.h"
#include "adamec/train/statistics.h"

namespace adamec::train {
namespace {

constexpr std::size_t kMostPoints = 4000;  // of a plot: more only make the page slow
constexpr std::size_t kMostBoxes = 30;
// The last colour, grey, is that of all operators without one of their own.
constexpr std::size_t kOthers = draw::kColourCount - 1;

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

std::string legend_entry(const std::string& name, std::size_t colour) {
  return fmt::format("<span>{}{}</span>\n", draw::html_swatch(draw::line_colour(colour)),
                     draw::escaped(name));
}

std::string scatter(std::span<const Outcome> outcomes, const Groups& groups) {
  std::map<std::string, std::size_t> colours;
  for (const auto& [name, group] : groups) {
    colours.emplace(name, std::min(colours.size(), kOthers));
  }
  double least = std::numeric_limits<double>::infinity();
  double most = 0;
  for (const Outcome& outcome : outcomes) {
    least = std::min({least, outcome.measured_us, outcome.predicted_us});
    most = std::max({most, outcome.measured_us, outcome.predicted_us});
  }
  const draw::ChartAxis x{"measured, us", true, least * 0.8, most * 1.25};
  const draw::ChartAxis y{"predicted, us", true, least * 0.8, most * 1.25};
  const std::size_t step = (outcomes.size() + kMostPoints - 1) / kMostPoints;
  std::vector<draw::ChartPoint> points;
  for (std::size_t i = 0; i < outcomes.size(); i += step) {
    const Outcome& outcome = outcomes[i];
    points.push_back({outcome.measured_us, outcome.predicted_us,
                      draw::line_colour(colours.at(group_of(outcome))),
                      fmt::format("{} ({}), {} threads, load {}: {:.4g} us measured, {:.4g} us "
                                  "predicted",
                                  outcome.name, group_of(outcome), outcome.threads,
                                  outcome.cpu_load, outcome.measured_us, outcome.predicted_us)});
  }
  std::string legend = "<p class=\"legend\">";
  for (std::size_t i = 0; i < std::min(groups.size(), kOthers); ++i) {
    legend += legend_entry(groups[i].first, i);
  }
  if (groups.size() > kOthers) legend += legend_entry("others", kOthers);
  if (step > 1) legend += fmt::format("<span>every {}th of {}</span>", step, outcomes.size());
  return draw::scatter_chart(x, y, points, 0.1) + legend + "</p>\n";
}

std::string boxes(const Groups& groups) {
  std::vector<draw::ChartBox> rows;
  for (const auto& [name, group] : groups) {
    if (rows.size() == kMostBoxes) break;
    std::vector<double> errors;
    for (const Outcome* outcome : group) {
      errors.push_back(100 * (outcome->predicted_us / outcome->measured_us - 1));
    }
    std::sort(errors.begin(), errors.end());
    draw::ChartBox box{name, errors.size(), {}};
    int i = 0;
    for (const double part : {0.05, 0.25, 0.5, 0.75, 0.95}) {
      box.quantiles[i++] = quantile(errors, part);
    }
    rows.push_back(box);
  }
  return draw::box_chart({"predicted more (right) or less (left) than measured, %", false, -50, 50},
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
  return draw::line_chart({"error, %", false, 0, 30}, {"share within it, %", false, 0, 100},
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
  return draw::line_chart(
      {"nominal, %", false, 0, 100}, {"measured below, %", false, 0, 100},
      {{"perfect", "ideal", {{0, 0}, {100, 100}}}, {"observed", "line", points}});
}

std::string table_html(std::span<const Accuracy> table) {
  std::string html =
      "<table class=\"figures\"><tr><th>left out</th><th>count</th><th>within 5 %</th>"
      "<th>10 %</th><th>15 %</th><th>MAPE</th><th>median</th><th>RMSPE</th><th>below p95</th>"
      "<th>repeats in 5 %</th><th>repeats in 10 %</th></tr>\n";
  for (const Accuracy& row : table) {
    const bool total = row.group == "all" || row.group == "blocks" || row.group == "models";
    html += total ? "<tr class=\"total\">" : "<tr>";
    html += draw::html_cell(row.group == "all" ? "all atoms" : row.group);
    html += draw::html_number_cell(fmt::format("{}", row.count));
    for (const double value :
         {row.within_5, row.within_10, row.within_15, row.mape, row.median_ape, row.rmspe,
          row.p95_coverage, row.repeat_within_5, row.repeat_within_10}) {
      html += draw::html_number_cell(std::isnan(value) ? "-" : fmt::format("{:.1f}", value));
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
  std::string html = "<p>" + draw::escaped(report.subtitle) + "</p>\n<dl>";
  for (const auto& [name, value] : report.facts) {
    html += "<dt>" + draw::escaped(name) + "</dt><dd>" + draw::escaped(value) + "</dd>\n";
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
    html += "</div>\n<div class=\"wide\">" + table_html(report.table) + "</div>\n";
  }
  return draw::html_page(report.title, html);
}

}  // namespace adamec::train
