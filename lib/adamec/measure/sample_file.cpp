#include "adamec/measure/sample_file.h"

#include <algorithm>
#include <cmath>
#include <iterator>
#include <set>
#include <vector>

#include "adamec/base/error.h"
#include "adamec/base/file.h"
#include "adamec/machine/host.h"
#include "adamec/proto/latency.h"
#include "adamec/proto/parse.h"

namespace adamec::measure {
namespace {

void check_sample(const v1::Sample& sample, const std::set<std::string>& hosts,
                  const std::string& source, int index) {
  if (!hosts.contains(sample.host_id())) {
    fail("{}: samples[{}].host_id: '{}' is not a host of this file", source, index,
         printable(sample.host_id()));
  }
  const v1::Latency& latency = sample.latency();
  for (double us : {latency.min_us(), latency.p50_us(), latency.p95_us()}) {
    if (!(std::isfinite(us) && us > 0)) {
      fail("{}: samples[{}].latency: {} us, expected a positive number", source, index, us);
    }
  }
}

}  // namespace

v1::SampleSet read_samples(const std::string& path) {
  const std::string source = display_name(path);
  v1::SampleSet samples;
  if (!parse_message(samples, read_file(path))) fail("{}: not a sample file, or cut off", source);
  std::set<std::string> hosts;
  for (const v1::Host& host : samples.hosts()) hosts.insert(host.id());
  for (int i = 0; i < samples.samples_size(); ++i) {
    check_sample(samples.samples(i), hosts, source, i);
  }
  return samples;
}

void check_same_host(const v1::SampleSet& samples, const v1::Host& host, const std::string& path) {
  for (const v1::Host& other : samples.hosts()) {
    if (other.id() == host.id()) continue;
    fail("{}: measured on a different host, {}; this one is {}", display_name(path),
         machine::summarise(other), machine::summarise(host));
  }
}

Repeatability agreement(std::span<const v1::Sample> samples) {
  Repeatability result;
  for (const v1::Sample& sample : samples) {
    if (sample.latency().visits() < 2) continue;
    const auto [even_us, odd_us] = halves(sample);
    const double spread = std::abs(even_us - odd_us) / std::min(even_us, odd_us);
    ++result.samples;
    if (spread <= 0.05) result.within_5 += 1;
    if (spread <= 0.10) result.within_10 += 1;
  }
  if (result.samples > 0) {
    result.within_5 /= static_cast<double>(result.samples);
    result.within_10 /= static_cast<double>(result.samples);
  }
  return result;
}

Repeatability repeatability(std::span<const v1::Sample> samples) {
  std::vector<v1::Sample> uncontended;
  std::copy_if(samples.begin(), samples.end(), std::back_inserter(uncontended),
               [](const v1::Sample& sample) { return sample.context().cpu_load() == 0; });
  return agreement(uncontended);
}

}  // namespace adamec::measure
