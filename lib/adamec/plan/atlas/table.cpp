#include "adamec/plan/atlas/table.h"

#include <algorithm>
#include <cmath>

#include "adamec/base/error.h"
#include "adamec/base/file.h"
#include "adamec/proto/parse.h"

namespace adamec::plan {
namespace {

constexpr std::uint64_t kMaxFileBytes = std::uint64_t{1} << 30;
constexpr int kMaxTiers = 64;
constexpr double kMaxFeature = 1e18;
constexpr double kMaxComparisons = 4e9;  // of atoms in all pairs of plans

void check_tiers_and_atoms(const v1::Atlas& atlas, const std::string& source) {
  if (atlas.tiers().empty() || atlas.tiers_size() > kMaxTiers) {
    fail("{}: tiers: {} given, expected 1 to {}", source, atlas.tiers_size(), kMaxTiers);
  }
  for (int i = 0; i < atlas.tiers_size(); ++i) {
    if (atlas.tiers(i).empty()) fail("{}: tiers[{}]: expected a name", source, i);
    if (std::count(atlas.tiers().begin(), atlas.tiers().end(), atlas.tiers(i)) > 1) {
      fail("{}: tiers[{}]: two tiers have the name '{}'", source, i, printable(atlas.tiers(i)));
    }
  }
  if (!atlas.state_tier().empty() &&
      std::count(atlas.tiers().begin(), atlas.tiers().end(), atlas.state_tier()) == 0) {
    fail("{}: state_tier: unknown tier '{}'", source, printable(atlas.state_tier()));
  }
  for (int i = 0; i < atlas.atoms_size(); ++i) {
    if (atlas.atoms(i).id().empty()) fail("{}: atoms[{}].id: expected an id", source, i);
    if (atlas.atoms(i).weight_bytes() >> 50 != 0) {
      fail("{}: atoms[{}].weight_bytes: {} is too large", source, i, atlas.atoms(i).weight_bytes());
    }
  }
}

void check_plan(const v1::Atlas& atlas, int index, std::size_t columns, const std::string& source) {
  const v1::Atlas::Plan& plan = atlas.plans(index);
  const auto refuse = [&](const char* field, const std::string& reason) {
    fail("{}: plans[{}].{}: {}", source, index, field, reason);
  };
  const auto expect = [&](const char* field, std::size_t size, std::size_t expected) {
    if (size != expected) refuse(field, fmt::format("{} entries, expected {}", size, expected));
  };
  expect("placement", plan.placement().size(), static_cast<std::size_t>(atlas.atoms_size()));
  expect("features", static_cast<std::size_t>(plan.features_size()), columns);
  expect("memory_bytes", static_cast<std::size_t>(plan.memory_bytes_size()),
         static_cast<std::size_t>(atlas.tiers_size()));
  expect("where", static_cast<std::size_t>(plan.where_size()),
         static_cast<std::size_t>(atlas.ranges().ranges_size()));
  for (char tier : plan.placement()) {
    const int number = static_cast<unsigned char>(tier);
    if (number >= atlas.tiers_size()) refuse("placement", fmt::format("no tier {}", number));
  }
  for (double feature : plan.features()) {
    if (!(feature >= 0) || feature > kMaxFeature) {
      refuse("features", fmt::format("{} is not from 0 to {:g}", feature, kMaxFeature));
    }
  }
  for (const auto& where : plan.where()) {
    if (!(where.low() <= where.high())) refuse("where", "its ends do not ascend");
  }
}

void check_regions(const v1::Atlas& atlas, const std::string& source) {
  for (int i = 0; i < atlas.regions_size(); ++i) {
    const v1::Atlas::Region& region = atlas.regions(i);
    if (region.plan() >= static_cast<std::uint32_t>(atlas.plans_size())) {
      fail("{}: regions[{}].plan: no plan {}", source, i, region.plan());
    }
    if (!(region.low() <= region.high()) || (i > 0 && region.low() < atlas.regions(i - 1).high())) {
      fail("{}: regions[{}]: the regions do not ascend", source, i);
    }
  }
  for (const auto& [name, value] :
       {std::pair{"gap", atlas.gap()}, std::pair{"deadline_ms", atlas.deadline_ms()},
        std::pair{"fits_from_bytes", atlas.fits_from_bytes()}}) {
    if (!(value >= 0)) fail("{}: {}: {} is negative or no number", source, name, value);
  }
}

}  // namespace

v1::Atlas atlas_message(const CostGraph& costs, const v1::AtlasRanges& ranges, const Atlas& atlas,
                        double deadline_ms) {
  if (atlas.plans.size() > kMaxAtlasPlans) {
    fail("{}: atlas: {} plans, at most {} are kept (set atlas.tolerance for fewer)", costs.source,
         atlas.plans.size(), kMaxAtlasPlans);
  }
  v1::Atlas message;
  message.set_format_version(kAtlasFormatVersion);
  message.set_name(costs.name);
  for (const Tier& tier : costs.tiers) message.add_tiers(tier.name);
  *message.mutable_ranges() = ranges;
  for (v1::AtlasRange& range : *message.mutable_ranges()->mutable_ranges()) {
    for (auto& knot : *range.mutable_knots()) knot.clear_latency_ms();
  }
  for (std::size_t i = 0; i < costs.atoms.size(); ++i) {
    v1::Atlas::Atom* atom = message.add_atoms();
    atom->set_id(costs.graph.atoms()[i].id);
    atom->set_weight_bytes(costs.atoms[i].weight_bytes);
  }
  for (const AtlasPlan& plan : atlas.plans) {
    v1::Atlas::Plan* added = message.add_plans();
    for (int tier : plan.placement) added->mutable_placement()->push_back(static_cast<char>(tier));
    added->mutable_features()->Assign(plan.features.begin(), plan.features.end());
    added->mutable_memory_bytes()->Assign(plan.memory_bytes.begin(), plan.memory_bytes.end());
    for (const Interval& where : plan.where) {
      v1::Atlas::Interval* interval = added->add_where();
      interval->set_low(where.low);
      interval->set_high(where.high);
    }
  }
  for (const AtlasRegion& region : atlas.regions) {
    v1::Atlas::Region* added = message.add_regions();
    added->set_low(region.low);
    added->set_high(region.high);
    added->set_plan(static_cast<std::uint32_t>(region.plan));
  }
  message.set_gap(atlas.gap);
  if (atlas.state_tier >= 0) message.set_state_tier(costs.tiers[atlas.state_tier].name);
  message.set_deadline_ms(deadline_ms);
  message.set_fits_from_bytes(atlas.fits_from_bytes);
  return message;
}

v1::Atlas parse_atlas(const std::string& bytes, const std::string& source) {
  v1::Atlas atlas;
  if (!parse_message(atlas, bytes) || atlas.format_version() == 0) {
    fail("{}: not an atlas (expected the protobuf written by adamec-plan --atlas --format pb)",
         source);
  }
  if (atlas.format_version() > kAtlasFormatVersion) {
    fail("{}: format version {} is newer than {}, the newest known", source, atlas.format_version(),
         kAtlasFormatVersion);
  }
  return atlas;
}

v1::Atlas read_atlas(const std::string& path) {
  return parse_atlas(read_file(path, kMaxFileBytes), display_name(path));
}

AtlasTable::AtlasTable(const v1::Atlas& atlas, const std::string& source) {
  check_tiers_and_atoms(atlas, source);
  const AtlasRanges ranges = make_ranges(atlas, source);
  if (atlas.plans().empty() || static_cast<std::size_t>(atlas.plans_size()) > kMaxAtlasPlans) {
    fail("{}: plans: {} given, expected 1 to {}", source, atlas.plans_size(), kMaxAtlasPlans);
  }
  const double pairs = static_cast<double>(atlas.plans_size()) * atlas.plans_size();
  if (pairs * atlas.atoms_size() > kMaxComparisons) {
    fail("{}: {} plans of {} atoms are too many", source, atlas.plans_size(), atlas.atoms_size());
  }
  add_ranges(ranges);
  for (int i = 0; i < atlas.plans_size(); ++i) check_plan(atlas, i, columns_, source);
  check_regions(atlas, source);
  add_plans(atlas, ranges);
}

void AtlasTable::add_ranges(const AtlasRanges& ranges) {
  knots_.reserve(ranges.ranges.size());
  for (const Range& range : ranges.ranges) {
    LookupRange added{LookupRange::kLinear,
                      static_cast<std::uint32_t>(columns_),
                      0,
                      nullptr,
                      range.low,
                      range.high};
    if (range.is_memory()) {
      added.kind = LookupRange::kMemory;
    } else if (!range.knots.empty()) {
      knots_.push_back(range.knots);
      added.kind = LookupRange::kKnots;
      added.knots = knots_.back().data();
      added.knot_count = static_cast<std::uint32_t>(range.knots.size());
    } else if (range.quantity == v1::AtlasRange::BANDWIDTH) {
      added.kind = LookupRange::kReciprocal;
    }
    if (!range.is_memory()) columns_ += std::max<std::size_t>(range.knots.size(), 1);
    ranges_.push_back(added);
  }
}

std::vector<std::uint64_t> AtlasTable::new_bytes(const v1::Atlas& atlas, int from, int to) {
  std::vector<std::uint64_t> bytes(static_cast<std::size_t>(atlas.tiers_size()), 0);
  const std::string& before = atlas.plans(from).placement();
  const std::string& after = atlas.plans(to).placement();
  for (std::size_t i = 0; i < after.size(); ++i) {
    if (before[i] == after[i]) continue;
    bytes[static_cast<unsigned char>(after[i])] += atlas.atoms(static_cast<int>(i)).weight_bytes();
  }
  return bytes;
}

void AtlasTable::add_plans(const v1::Atlas& atlas, const AtlasRanges& ranges) {
  const auto plans = static_cast<std::size_t>(atlas.plans_size());
  const std::size_t stride = (plans + kLookupWidth - 1) / kLookupWidth * kLookupWidth;
  features_.assign(columns_ * stride, 0);
  for (std::size_t plan = 0; plan < plans; ++plan) {
    const v1::Atlas::Plan& of = atlas.plans(static_cast<int>(plan));
    for (std::size_t column = 0; column < columns_; ++column) {
      features_[column * stride + plan] = of.features(static_cast<int>(column));
    }
    for (const Range& range : ranges.ranges) {
      if (range.is_memory()) needs_.push_back(static_cast<double>(of.memory_bytes(range.tier)));
    }
  }
  const bool loads = std::any_of(ranges.load_rates.begin(), ranges.load_rates.end(),
                                 [](double rate) { return rate > 0; });
  switch_ms_.assign(plans * stride, 0);
  for (std::size_t from = 0; loads && from < plans; ++from) {
    for (std::size_t to = 0; to < plans; ++to) {
      const auto bytes = new_bytes(atlas, static_cast<int>(from), static_cast<int>(to));
      double& ms = switch_ms_[from * stride + to];
      for (std::size_t tier = 0; tier < bytes.size(); ++tier) {
        const double rate = ranges.load_rates[tier];
        if (rate > 0) ms = std::max(ms, static_cast<double>(bytes[tier]) / rate * 1e3);
      }
    }
  }
  table_ = {static_cast<std::uint32_t>(plans),
            static_cast<std::uint32_t>(stride),
            static_cast<std::uint32_t>(ranges_.size()),
            ranges_.data(),
            features_.data(),
            needs_.empty() ? nullptr : needs_.data(),
            switch_ms_.data(),
            ranges.runs};
}

}  // namespace adamec::plan
