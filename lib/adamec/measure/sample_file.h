#pragma once

#include <span>
#include <string>

#include "adamec/v1/samples.pb.h"

namespace adamec::measure {

inline constexpr unsigned kSampleFormatVersion = 1;

// A .samples file; "-" is standard input. Throws Error unless it is one whose samples all belong to
// a host of the file and have latencies that are positive numbers.
[[nodiscard]] v1::SampleSet read_samples(const std::string& path);

// The one host all samples of the file come from must be this one. Throws Error otherwise.
void check_same_host(const v1::SampleSet& samples, const v1::Host& host, const std::string& path);

// How well uncontended measurements repeat: the share whose times over the even and over the odd
// visits agree within 5 and within 10 %. It limits what a predictor can reach.
struct Repeatability {
  std::size_t samples = 0;
  double within_5 = 0;  // 0..1
  double within_10 = 0;
};
[[nodiscard]] Repeatability repeatability(std::span<const v1::Sample> samples);
// The same for all samples, contended ones included.
[[nodiscard]] Repeatability agreement(std::span<const v1::Sample> samples);

}  // namespace adamec::measure
