#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <numeric>

#include "adamec/base/units.h"
#include "adamec/draw/colours.h"
#include "adamec/draw/html_page.h"
#include "adamec/draw/svg.h"
#include "adamec/draw/text.h"
#include "adamec/report/plan_report.h"

namespace adamec::report {
namespace {

constexpr double kBoxWidth = 190;
constexpr double kBoxHeight = 34;
constexpr double kColumn = 214;
constexpr double kRow = 66;
constexpr double kMargin = 24;
constexpr int kSweeps = 4;

// The end of long names tells more than their beginning.
std::string shortened(const std::string& text, std::size_t length) {
  if (text.size() <= length) return text;
  std::size_t first = text.size() - length + 1;
  while (first < text.size() && (text[first] & 0xc0) == 0x80) ++first;  // whole UTF-8 characters
  return "…" + text.substr(first);
}

// The atom graph in layers: every node below all it depends on, and near them. Inputs and results
// are nodes, too.
class GraphPicture {
 public:
  GraphPicture(const plan::CostGraph& costs, const plan::Plan& plan) : costs_(costs), plan_(plan) {
    add_nodes();
    place();
  }

  std::string draw() const {
    double right = 0;
    double bottom = 0;
    for (const GraphNode& node : nodes_) {
      right = std::max(right, node.x + kBoxWidth);
      bottom = std::max(bottom, node.y + kBoxHeight);
    }
    draw::Svg svg(right + kMargin + 60, bottom + kMargin);
    for (std::size_t i = 0; i < nodes_.size(); ++i) draw_edges(svg, i);
    for (const GraphNode& node : nodes_) draw_node(svg, node);
    return svg.str();
  }

 private:
  struct Source {
    int node;
    int tensor;
  };
  struct GraphNode {
    std::string name;
    std::string detail;
    int tier;
    bool atom;
    std::vector<Source> sources;
    int layer = 0;
    double x = 0;
    double y = 0;
  };

  void add_nodes() {
    const auto& tensors = costs_.graph.tensors();
    std::vector<int> home(tensors.size(), -1);  // node that gives the tensor
    for (const plan::Endpoint& input : costs_.inputs) {
      home[input.tensor] = static_cast<int>(nodes_.size());
      nodes_.push_back({"input " + tensors[input.tensor].id,
                        format_bytes(tensors[input.tensor].bytes),
                        input.tier,
                        false,
                        {}});
    }
    for (int atom : costs_.graph.topological_order()) {
      const int tier = plan_.placement[atom];
      GraphNode node{costs_.graph.atoms()[atom].id,
                     format_ms(costs_.atoms[atom].latency_ms[tier]),
                     tier,
                     true,
                     {}};
      for (int tensor : costs_.graph.atoms()[atom].inputs)
        node.sources.push_back({home[tensor], tensor});
      for (int tensor : costs_.graph.atoms()[atom].outputs)
        home[tensor] = static_cast<int>(nodes_.size());
      nodes_.push_back(std::move(node));
    }
    for (const plan::Endpoint& output : costs_.outputs) {
      const int from = home[output.tensor];
      const int tier = output.tier >= 0 ? output.tier : nodes_[from].tier;
      nodes_.push_back({"result " + tensors[output.tensor].id,
                        format_bytes(tensors[output.tensor].bytes),
                        tier,
                        false,
                        {{from, output.tensor}}});
    }
    for (const plan::Transfer& transfer : plan_.evaluation.transfers) {
      transfers_[{transfer.tensor, transfer.to}] = &transfer;
    }
  }

  // Nodes are in topological order. Within a layer they are ordered by the mean place of what they
  // depend on.
  void place() {
    int layers = 0;
    for (GraphNode& node : nodes_) {
      for (const Source& source : node.sources) {
        node.layer = std::max(node.layer, nodes_[source.node].layer + 1);
      }
      layers = std::max(layers, node.layer + 1);
    }
    std::vector<std::vector<int>> rows(static_cast<std::size_t>(layers));
    for (std::size_t i = 0; i < nodes_.size(); ++i) {
      rows[nodes_[i].layer].push_back(static_cast<int>(i));
    }
    std::vector<double> place(nodes_.size(), 0);
    for (int sweep = 0; sweep < kSweeps; ++sweep) {
      for (auto& row : rows) {
        for (int node : row) place[node] = wanted(node, place);
        std::stable_sort(row.begin(), row.end(), [&](int a, int b) { return place[a] < place[b]; });
        spread(row, place);
      }
    }
    const double left = *std::min_element(place.begin(), place.end());
    for (std::size_t i = 0; i < nodes_.size(); ++i) {
      nodes_[i].x = kMargin + (place[i] - left) * kColumn;
      nodes_[i].y = kMargin + nodes_[i].layer * kRow;
    }
  }

  double wanted(int node, const std::vector<double>& place) const {
    const auto& sources = nodes_[node].sources;
    if (sources.empty()) return place[node];
    double sum = 0;
    for (const Source& source : sources) sum += place[source.node];
    return sum / static_cast<double>(sources.size());
  }

  // At least one column apart, around the same middle.
  static void spread(const std::vector<int>& row, std::vector<double>& place) {
    double before = 0;
    for (int node : row) before += place[node];
    for (std::size_t i = 1; i < row.size(); ++i) {
      place[row[i]] = std::max(place[row[i]], place[row[i - 1]] + 1);
    }
    double after = 0;
    for (int node : row) after += place[node];
    const double shift = (before - after) / static_cast<double>(row.size());
    for (int node : row) place[node] += shift;
  }

  void draw_edges(draw::Svg& svg, std::size_t index) const {
    const GraphNode& to = nodes_[index];
    for (const Source& source : to.sources) {
      const GraphNode& from = nodes_[source.node];
      const bool moves = from.tier != to.tier;
      const double x1 = from.x + kBoxWidth / 2;
      const double y1 = from.y + kBoxHeight;
      const double x2 = to.x + kBoxWidth / 2;
      // Past what lies between: around the right side of the boxes.
      const double bend = to.layer - from.layer > 1 ? kBoxWidth / 2 + 24 : 0;
      const double middle = (y1 + to.y) / 2;
      const std::string curve =
          bend > 0 ? fmt::format("M{:.0f} {:.0f}C{:.0f} {:.0f} {:.0f} {:.0f} {:.0f} {:.0f}", x1, y1,
                                 std::max(x1, x2) + bend, y1 + 20, std::max(x1, x2) + bend,
                                 to.y - 20, x2, to.y)
                   : fmt::format("M{:.0f} {:.0f}C{:.0f} {:.0f} {:.0f} {:.0f} {:.0f} {:.0f}", x1, y1,
                                 x1, middle, x2, middle, x2, to.y);
      const auto found = transfers_.find({source.tensor, to.tier});
      svg.path(curve, moves ? "fill='none' stroke='#c00' stroke-width='2' stroke-dasharray='5 3'"
                            : "fill='none' stroke='#999'");
      if (!moves || found == transfers_.end()) continue;
      svg.text((x1 + x2) / 2 + bend * 0.75 + 6, middle + 4,
               format_bytes(found->second->bytes) + ", " + format_ms(found->second->ms),
               draw::Svg::Anchor::kStart, "fill='#c00' font-size='11'");
    }
  }

  void draw_node(draw::Svg& svg, const GraphNode& node) const {
    svg.begin_group(node.name + ": " + node.detail + " on " + costs_.tiers[node.tier].name);
    svg.rectangle(node.x, node.y, kBoxWidth, kBoxHeight,
                  fmt::format("rx='{}' fill='{}' stroke='#777'", node.atom ? 3 : 16,
                              draw::fill_colour(static_cast<std::size_t>(node.tier))));
    svg.text(node.x + kBoxWidth / 2, node.y + 14, shortened(node.name, 27),
             draw::Svg::Anchor::kMiddle, "font-size='11'");
    svg.text(node.x + kBoxWidth / 2, node.y + 28, node.detail, draw::Svg::Anchor::kMiddle,
             "font-size='10' fill='#555'");
    svg.end_group();
  }

  const plan::CostGraph& costs_;
  const plan::Plan& plan_;
  std::vector<GraphNode> nodes_;
  std::map<std::pair<int, int>, const plan::Transfer*> transfers_;  // by tensor and where it goes
};

std::string tier_rows(const plan::CostGraph& costs, const plan::Plan& plan) {
  std::string rows;
  for (std::size_t i = 0; i < costs.tiers.size(); ++i) {
    const auto atoms =
        std::count(plan.placement.begin(), plan.placement.end(), static_cast<int>(i));
    rows += "<tr><td>" + draw::html_swatch(draw::fill_colour(i)) +
            draw::escaped(costs.tiers[i].name) + "</td>" +
            draw::html_number_cell(fmt::format("{}", atoms)) +
            draw::html_number_cell(format_ms(plan.evaluation.compute_ms[i])) +
            draw::html_number_cell(format_bytes(plan.evaluation.memory_bytes[i])) + "</tr>\n";
  }
  return rows;
}

}  // namespace

std::string plan_html(const plan::CostGraph& costs, const plan::Plan& plan,
                      const std::vector<std::string>& explanation) {
  const plan::Evaluation& evaluation = plan.evaluation;
  std::string body = fmt::format(
      "<p>{}: {} for transfers, {} for {} moves; gap to the lower bound {:.3g} %.</p>\n",
      format_ms(evaluation.latency_ms), format_ms(evaluation.transfer_ms),
      format_ms(evaluation.handoff_ms), evaluation.moves, 100 * plan.gap);
  body += "<table>\n<tr><th>tier</th><th>atoms</th><th>compute</th><th>memory</th></tr>\n" +
          tier_rows(costs, plan) + "</table>\n";
  if (!explanation.empty()) {
    body += "<h2>Why</h2>\n<ul>\n";
    for (const std::string& sentence : explanation)
      body += "<li>" + draw::escaped(sentence) + "</li>\n";
    body += "</ul>\n";
  }
  body +=
      "<h2>Graph</h2>\n<p>Dashed: tensors that are sent to another tier.</p>\n<div "
      "class=\"wide\">" +
      GraphPicture(costs, plan).draw() + "</div>\n";
  return draw::html_page("Plan of " + costs.name, body);
}

}  // namespace adamec::report
