#pragma once

#include <string>
#include <vector>

#include "adamec/plan/atlas/atlas.h"
#include "adamec/plan/atlas_lookup.h"

namespace adamec::plan {

inline constexpr std::uint32_t kAtlasFormatVersion = 1;
inline constexpr std::size_t kMaxAtlasPlans = 2048;

// An atlas as a file holds it. `deadline_ms` 0: none. Throws Error for more than kMaxAtlasPlans.
[[nodiscard]] v1::Atlas atlas_message(const CostGraph& costs, const v1::AtlasRanges& ranges,
                                      const Atlas& atlas, double deadline_ms);

// Reads an atlas in binary protobuf and believes nothing in it: throws Error "file: field: reason",
// in one line. "-" is standard input.
[[nodiscard]] v1::Atlas read_atlas(const std::string& path);
// The same for bytes; `source` is their name in messages.
[[nodiscard]] v1::Atlas parse_atlas(const std::string& bytes, const std::string& source);

// The arrays of a look-up.
class AtlasTable {
 public:
  // Throws Error "source: field: reason" when the message is not a sound atlas.
  AtlasTable(const v1::Atlas& atlas, const std::string& source);
  AtlasTable(const AtlasTable&) = delete;
  AtlasTable& operator=(const AtlasTable&) = delete;

  [[nodiscard]] const LookupTable& table() const { return table_; }
  // Milliseconds until everything that `to` needs and `from` has not is loaded; tiers load at the
  // same time.
  [[nodiscard]] double switch_ms(int from, int to) const {
    return switch_ms_[static_cast<std::size_t>(from) * table_.stride +
                      static_cast<std::size_t>(to)];
  }
  // Weight bytes that are new on each tier.
  [[nodiscard]] static std::vector<std::uint64_t> new_bytes(const v1::Atlas& atlas, int from,
                                                            int to);

 private:
  void add_ranges(const AtlasRanges& ranges);
  void add_plans(const v1::Atlas& atlas, const AtlasRanges& ranges);

  std::vector<LookupRange> ranges_;
  std::vector<std::vector<double>> knots_;
  std::vector<double> features_;
  std::vector<double> needs_;
  std::vector<double> switch_ms_;
  std::size_t columns_ = 1;
  LookupTable table_{};
};

}  // namespace adamec::plan
