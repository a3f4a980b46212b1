#include "adamec/measure/measuring_order.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <map>
#include <numeric>
#include <string>

#include "adamec/predict/features.h"
#include "adamec/predict/work.h"

namespace adamec::measure {
namespace {

// Shares of the time.
constexpr double kAtoms = 0.6;
constexpr double kModels = 0.15;
constexpr double kBlocks = 0.25;

// A configuration as a point; only points of the same group can be compared.
struct ConfigurationPoint {
  std::string group;  // operator and kernel backend: between these latency jumps
  std::vector<double> place;
};

ConfigurationPoint point_of(const v1::Sample& sample) {
  const predict::Work work = predict::work_of(sample, 1);
  std::vector<float> row;
  predict::fill_features(work, {}, row);
  ConfigurationPoint point{work.operator_key + "\n" + std::string(work.backend), {}};
  for (std::size_t i = 0; i < row.size(); ++i) {
    const double value = std::isfinite(row[i]) ? static_cast<double>(row[i]) : 0;
    // Logarithms stay as they are; sizes are compared by their ratio.
    const bool logarithm = predict::feature_names()[i].rfind("log_", 0) == 0;
    point.place.push_back(logarithm ? value : std::copysign(std::log1p(std::abs(value)), value));
  }
  return point;
}

double distance(const ConfigurationPoint& a, const ConfigurationPoint& b) {
  double sum = 0;
  for (std::size_t i = 0; i < a.place.size(); ++i) {
    sum += (a.place[i] - b.place[i]) * (a.place[i] - b.place[i]);
  }
  return std::sqrt(sum);
}

std::vector<std::size_t> farthest_first(std::span<const CampaignItem> items,
                                        const std::vector<std::size_t>& atoms,
                                        std::span<const v1::Sample* const> measured) {
  std::vector<ConfigurationPoint> points;
  std::map<std::string, std::vector<std::size_t>> groups;  // of indices into points
  for (const std::size_t atom : atoms) {
    points.push_back(point_of(items[atom].plan->sample));
    groups[points.back().group].push_back(points.size() - 1);
  }
  std::vector<double> nearest(points.size(), std::numeric_limits<double>::infinity());
  const auto take = [&](const ConfigurationPoint& taken) {
    const auto group = groups.find(taken.group);
    if (group == groups.end()) return;
    for (const std::size_t i : group->second) {
      nearest[i] = std::min(nearest[i], distance(points[i], taken));
    }
  };
  for (const v1::Sample* sample : measured) {
    if (sample->parts().empty()) take(point_of(*sample));
  }
  const auto macs = [&](std::size_t i) { return items[atoms[i]].plan->sample.macs(); };
  std::vector<std::size_t> left(points.size());
  std::iota(left.begin(), left.end(), std::size_t{0});
  std::vector<std::size_t> order;
  while (!left.empty()) {
    const auto next = std::max_element(left.begin(), left.end(), [&](std::size_t a, std::size_t b) {
      return nearest[a] != nearest[b] ? nearest[a] < nearest[b] : macs(a) < macs(b);
    });
    const std::size_t chosen = *next;
    left.erase(next);
    order.push_back(atoms[chosen]);
    take(points[chosen]);
  }
  return order;
}

// The first of every archive, then the second of every archive, ...
std::vector<std::size_t> in_turn(std::span<const CampaignItem> items,
                                 std::vector<std::size_t> blocks) {
  std::map<std::size_t, std::size_t> seen;  // blocks of each archive
  std::map<std::size_t, std::size_t> turn;
  for (const std::size_t block : blocks) turn[block] = seen[items[block].plan->archive]++;
  std::stable_sort(blocks.begin(), blocks.end(),
                   [&](std::size_t a, std::size_t b) { return turn[a] < turn[b]; });
  return blocks;
}

}  // namespace

std::vector<std::size_t> measuring_order(std::span<const CampaignItem> items,
                                         std::span<const v1::Context> contexts,
                                         std::span<const v1::Sample* const> measured,
                                         unsigned visits) {
  struct Stream {
    double share;
    std::vector<std::size_t> items;
    std::size_t next = 0;
    double spent_us = 0;
  };
  std::array<Stream, 3> streams{Stream{kAtoms, {}}, Stream{kModels, {}}, Stream{kBlocks, {}}};
  auto& [atoms, models, blocks] = streams;
  std::vector<double> us;
  for (std::size_t i = 0; i < items.size(); ++i) {
    us.push_back(expected_us(items[i], contexts, visits));
    const v1::Subject subject = items[i].plan->sample.subject();
    const bool model = subject == v1::MODEL || subject == v1::SEQUENCE;
    (subject == v1::BLOCK ? blocks : model ? models : atoms).items.push_back(i);
  }
  atoms.items = farthest_first(items, atoms.items, measured);
  blocks.items = in_turn(items, blocks.items);
  std::stable_sort(models.items.begin(), models.items.end(),
                   [&](std::size_t a, std::size_t b) { return us[a] < us[b]; });
  std::vector<std::size_t> order;
  while (order.size() < items.size()) {
    Stream* next = nullptr;
    for (Stream& stream : streams) {
      if (stream.next == stream.items.size()) continue;
      // By the time after it: a long model waits until it is due.
      const auto due = [&](const Stream& s) {
        return (s.spent_us + us[s.items[s.next]]) / s.share;
      };
      if (next == nullptr || due(stream) < due(*next)) next = &stream;
    }
    const std::size_t item = next->items[next->next++];
    next->spent_us += us[item];
    order.push_back(item);
  }
  return order;
}

}  // namespace adamec::measure
