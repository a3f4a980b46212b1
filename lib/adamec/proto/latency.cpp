#include "adamec/proto/latency.h"

namespace adamec {
namespace {

bool means_count(const v1::Sample& sample) {
  const v1::Context& context = sample.context();
  return (context.cpu_load() > 0 || context.cpu_quota() > 0) && sample.latency().mean_us() > 0;
}

}  // namespace

double typical_us(const v1::Sample& sample) {
  return means_count(sample) ? sample.latency().mean_us() : sample.latency().p50_us();
}

Halves halves(const v1::Sample& sample) {
  const v1::Latency& latency = sample.latency();
  if (means_count(sample)) return {latency.even_mean_us(), latency.odd_mean_us()};
  return {latency.even_min_us(), latency.odd_min_us()};
}

}  // namespace adamec
