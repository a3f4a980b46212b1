#pragma once

#include <string>

#include "adamec/plan/atlas/table.h"
#include "adamec/report/document.h"

namespace adamec::report {

// The atlas for people and scripts: ranges, plans with where they are best, the breakpoints along
// one parameter, and what switching costs. Numbers are in bytes, milliseconds and shares.
//
// `placement` of a plan is run-length coded: [[phone, 4], [edge, 61]] are the first four of `atoms`
// on phone, the others on edge. `features` are explained in atlas.proto.
[[nodiscard]] Document atlas_document(const v1::Atlas& atlas, const plan::AtlasTable& table);

// What a look-up says at the given values (one per range), with `current` loaded (-1: none).
[[nodiscard]] Document advice_document(const v1::Atlas& atlas, const plan::AtlasTable& table,
                                       const std::vector<double>& values, int current);

// The arrays of plan/atlas_lookup.h as a C++ header of its own, for run times that embed the atlas.
[[nodiscard]] std::string atlas_header(const v1::Atlas& atlas, const plan::AtlasTable& table);

// One page, self-contained: a map of bandwidth and a second parameter coloured by plan, the latency
// along the bandwidth with its breakpoints, and the plans.
[[nodiscard]] std::string atlas_html(const v1::Atlas& atlas, const plan::AtlasTable& table);
// The picture of that page alone, as an SVG file.
[[nodiscard]] std::string atlas_svg(const v1::Atlas& atlas, const plan::AtlasTable& table);

// "4 plans, proven optimal everywhere in the ranges".
[[nodiscard]] std::string atlas_summary(const v1::Atlas& atlas);

// A value of a range in the unit people use: "20 Mbit/s", "5 ms", "0.5", "64.0 MiB".
[[nodiscard]] std::string format_value(const v1::AtlasRange& range, double value);

}  // namespace adamec::report
