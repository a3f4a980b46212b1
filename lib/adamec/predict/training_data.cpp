#include "adamec/predict/training_data.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <utility>

#include "adamec/base/error.h"
#include "adamec/base/file.h"
#include "adamec/base/sha256.h"
#include "adamec/proto/parse.h"

namespace adamec::predict {
namespace {

constexpr unsigned kMaxThreads = 4096;

void check_positive(double value, const char* field, const std::string& where) {
  if (!std::isfinite(value) || value <= 0) {
    fail("{}.{}: {}, expected a positive number", where, field, value);
  }
}

void check_not_negative(double value, const char* field, const std::string& where) {
  if (!std::isfinite(value) || value < 0) {
    fail("{}.{}: {}, expected a number >= 0", where, field, value);
  }
}

void check_sample(const v1::Sample& sample, const std::set<std::string>& hosts,
                  const std::string& where) {
  const v1::Latency& latency = sample.latency();
  check_positive(latency.min_us(), "latency.min_us", where);
  check_positive(latency.p50_us(), "latency.p50_us", where);
  check_positive(latency.p95_us(), "latency.p95_us", where);
  check_not_negative(latency.iqr_us(), "latency.iqr_us", where);
  check_not_negative(latency.cpu_us(), "latency.cpu_us", where);
  check_not_negative(latency.even_min_us(), "latency.even_min_us", where);
  check_not_negative(latency.odd_min_us(), "latency.odd_min_us", where);
  const v1::Context& context = sample.context();
  if (context.threads() == 0 || context.threads() > kMaxThreads) {
    fail("{}.context.threads: {}, expected 1 to {}", where, context.threads(), kMaxThreads);
  }
  if (!(context.cpu_load() >= 0 && context.cpu_load() <= 1)) {
    fail("{}.context.cpu_load: {}, expected 0 to 1", where, context.cpu_load());
  }
  if (sample.signature().empty()) fail("{}.signature: is empty", where);
  if (!hosts.contains(sample.host_id())) {
    fail("{}.host_id: '{}' is not among the hosts of the samples", where,
         printable(sample.host_id()));
  }
  const auto check_type = [&](const v1::TensorType& type) {
    for (const auto size : type.shape()) {
      if (size < 0) fail("{}.operators: negative size {} in a shape", where, size);
    }
  };
  for (const v1::Operator& op : sample.operators()) {
    for (const v1::Argument& argument : op.arguments()) {
      for (const v1::TensorType& type : argument.tensors()) check_type(type);
    }
    for (const v1::TensorType& type : op.results()) check_type(type);
  }
}

v1::Host choose_host(const v1::SampleSet& samples, const std::string& host_id,
                     const std::string& source) {
  std::map<std::string, v1::Host> hosts;
  for (const v1::Host& host : samples.hosts()) hosts.emplace(host.id(), host);
  std::vector<std::string> names;
  for (const auto& [id, host] : hosts) {
    names.push_back(fmt::format("{} ({})", printable(id), printable(host.cpu_model())));
  }
  if (!host_id.empty()) {
    const auto at = hosts.find(host_id);
    if (at == hosts.end()) {
      fail("{}: no host '{}' among {}", source, printable(host_id), fmt::join(names, ", "));
    }
    return at->second;
  }
  if (hosts.size() != 1) {
    fail("{}: samples of {} hosts: {}; choose one with --host", source, hosts.size(),
         fmt::join(names, ", "));
  }
  return hosts.begin()->second;
}

using Key = std::pair<std::string, unsigned>;  // signature and threads

double least_positive(double a, double b) {
  if (a == 0 || b == 0) return std::max(a, b);
  return std::min(a, b);
}

// Unloaded samples, by configuration. The least latency stands for all samples of it.
std::map<Key, Measurement> measurements_of(const std::vector<const v1::Sample*>& samples) {
  std::map<Key, Measurement> result;
  for (const v1::Sample* sample : samples) {
    if (sample->context().cpu_load() > 0) continue;
    const v1::Latency& latency = sample->latency();
    const unsigned threads = sample->context().threads();
    const auto at = result
                        .try_emplace({sample->signature(), threads},
                                     Measurement{sample, threads, latency.min_us(), 0, 0, {}})
                        .first;
    Measurement& measurement = at->second;
    measurement.models.insert(sample->models().begin(), sample->models().end());
    if (latency.min_us() < measurement.us) measurement.us = latency.min_us();
    measurement.even_us = least_positive(measurement.even_us, latency.even_min_us());
    measurement.odd_us = least_positive(measurement.odd_us, latency.odd_min_us());
  }
  return result;
}

double median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  const std::size_t middle = values.size() / 2;
  return values.size() % 2 == 1 ? values[middle] : (values[middle - 1] + values[middle]) / 2;
}

// Loaded samples by configuration and load: the median of the ratios within each round.
void add_slowdowns(const std::vector<const v1::Sample*>& samples,
                   const std::map<Key, Measurement>& measurements, TrainingData& data) {
  std::map<std::pair<Key, std::string>, double> unloaded_p50;  // with the round
  for (const v1::Sample* sample : samples) {
    if (sample->context().cpu_load() > 0) continue;
    const Key key{sample->signature(), sample->context().threads()};
    unloaded_p50[{key, sample->round()}] = sample->latency().p50_us();
  }
  struct Group {
    const v1::Sample* sample = nullptr;
    std::vector<double> ratios;
  };
  std::map<std::pair<Key, double>, Group> groups;
  for (const v1::Sample* sample : samples) {
    const double load = sample->context().cpu_load();
    if (load == 0) continue;
    const Key key{sample->signature(), sample->context().threads()};
    const auto partner = unloaded_p50.find({key, sample->round()});
    if (partner == unloaded_p50.end()) {
      ++data.unpaired;
      continue;
    }
    Group& group = groups[{key, load}];
    if (group.sample == nullptr) group.sample = sample;
    group.ratios.push_back(sample->latency().p50_us() / partner->second);
  }
  for (const auto& [key, group] : groups) {
    data.slowdowns.push_back({group.sample, key.first.second, key.second, median(group.ratios),
                              measurements.at(key.first).us});
  }
}

}  // namespace

SampleFiles read_samples(const std::vector<std::string>& paths) {
  SampleFiles result;
  std::string all;
  std::set<std::string> hosts;
  std::vector<std::pair<std::string, int>> files;  // name, number of samples so far
  for (const std::string& path : paths) {
    const std::string name = display_name(path);
    const std::string bytes = read_file(path);
    v1::SampleSet set;
    if (!parse_message(set, bytes)) fail("{}: not a sample set, or truncated", name);
    all += bytes;
    for (const v1::Host& host : set.hosts()) hosts.insert(host.id());
    result.samples.MergeFrom(set);
    files.emplace_back(name, result.samples.samples_size());
  }
  int before = 0;
  for (const auto& [name, until] : files) {
    for (int i = before; i < until; ++i) {
      check_sample(result.samples.samples(i), hosts,
                   fmt::format("{}: samples[{}]", name, i - before));
    }
    before = until;
  }
  result.sha256 = sha256_hex(all);
  return result;
}

TrainingData training_data(const v1::SampleSet& samples, const std::string& host_id,
                           const std::string& source) {
  if (samples.samples().empty()) fail("{}: no samples", source);
  TrainingData data;
  data.host = choose_host(samples, host_id, source);
  std::vector<const v1::Sample*> chosen;
  for (const v1::Sample& sample : samples.samples()) {
    const bool atom = sample.subject() == v1::ATOM || sample.subject() == v1::SUBJECT_UNSPECIFIED;
    const bool unlimited = sample.context().memory_limit() == 0;
    if (atom && unlimited && sample.host_id() == data.host.id()) chosen.push_back(&sample);
  }
  const std::map<Key, Measurement> measurements = measurements_of(chosen);
  if (measurements.empty()) {
    fail("{}: no atom of host {} was measured without load", source, printable(data.host.id()));
  }
  for (const auto& [key, measurement] : measurements) data.measurements.push_back(measurement);
  add_slowdowns(chosen, measurements, data);
  return data;
}

}  // namespace adamec::predict
