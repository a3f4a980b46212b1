#pragma once

#include <nlohmann/json.hpp>
#include <span>
#include <string>

#include "adamec/v1/samples.pb.h"

// Samples for people's own analysis.
namespace adamec::tools {

[[nodiscard]] nlohmann::ordered_json host_json(const v1::Host& host);
// What was asked for; with `observed`, what was seen as well.
[[nodiscard]] nlohmann::ordered_json context_json(const v1::Context& context,
                                                  bool observed = false);
[[nodiscard]] nlohmann::ordered_json sample_json(const v1::Sample& sample);

// One row per sample, under a header row.
[[nodiscard]] std::string samples_csv(std::span<const v1::Sample> samples);

}  // namespace adamec::tools
