#include "adamec/train/training_data.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <set>
#include <utility>

#include "adamec/base/error.h"
#include "adamec/base/file.h"
#include "adamec/base/sha256.h"
#include "adamec/proto/latency.h"
#include "adamec/proto/parse.h"
#include "adamec/train/sample_pairs.h"

namespace adamec::train {
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

void check_shapes(const google::protobuf::RepeatedPtrField<v1::Operator>& operators,
                  const std::string& where) {
  const auto check_type = [&](const v1::TensorType& type) {
    for (const auto size : type.shape()) {
      if (size < 0) fail("{}.operators: negative size {} in a shape", where, size);
    }
    if (type.subnormal_permille() > 1000) {
      fail("{}.operators: {} of 1000 elements subnormal", where, type.subnormal_permille());
    }
    if (type.strides_size() != 0 && type.strides_size() != type.shape_size()) {
      fail("{}.operators: {} strides for {} dimensions", where, type.strides_size(),
           type.shape_size());
    }
  };
  for (const v1::Operator& op : operators) {
    for (const v1::Argument& argument : op.arguments()) {
      for (const v1::TensorType& type : argument.tensors()) check_type(type);
    }
    for (const v1::TensorType& type : op.results()) check_type(type);
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
  check_not_negative(latency.mean_us(), "latency.mean_us", where);
  check_not_negative(latency.even_mean_us(), "latency.even_mean_us", where);
  check_not_negative(latency.odd_mean_us(), "latency.odd_mean_us", where);
  if (latency.core_speed() != 0 && !(latency.core_speed() >= 1 && latency.core_speed() <= 1e6)) {
    fail("{}.latency.core_speed: {}, expected 1 to 1000000 steps per us, or 0", where,
         latency.core_speed());
  }
  check_not_negative(latency.steady_us(), "latency.steady_us", where);
  check_not_negative(latency.even_steady_us(), "latency.even_steady_us", where);
  check_not_negative(latency.odd_steady_us(), "latency.odd_steady_us", where);
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
  check_shapes(sample.operators(), where);
  const auto parts = static_cast<std::uint32_t>(sample.parts_size());
  for (const v1::Edge& edge : sample.edges()) {
    if (edge.producer() >= parts || edge.consumer() >= parts) {
      fail("{}.edges: {} to {} among {} parts", where, edge.producer(), edge.consumer(), parts);
    }
  }
}

bool of_other_context(const v1::Context& context) {
  return context.cpu_quota() != 0 || context.frequency() != 0 || !context.device().empty();
}

bool describes_parts(const v1::Sample& sample,
                     const std::map<std::string, const v1::Configuration*>& parts) {
  return !sample.parts().empty() &&
         std::all_of(sample.parts().begin(), sample.parts().end(),
                     [&](const std::string& part) { return parts.contains(part); });
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
    for (int i = 0; i < set.configurations_size(); ++i) {
      check_shapes(set.configurations(i).operators(),
                   fmt::format("{}: configurations[{}]", name, i));
    }
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
  for (const v1::Configuration& part : samples.configurations()) {
    data.parts.emplace(part.signature(), &part);
  }
  SampleList atoms;
  SampleList composites;
  for (const v1::Sample& sample : samples.samples()) {
    if (sample.host_id() != data.host.id()) continue;
    if (of_other_context(sample.context())) {
      ++data.other_contexts;
    } else if (sample.subject() == v1::ATOM || sample.subject() == v1::SUBJECT_UNSPECIFIED) {
      atoms.push_back(&sample);
    } else if (sample.subject() == v1::BLOCK || sample.subject() == v1::MODEL) {
      const bool complete = describes_parts(sample, data.parts);
      if (complete) composites.push_back(&sample);
      data.incomplete += !complete;
    }
  }
  SampleList both = atoms;
  both.insert(both.end(), composites.begin(), composites.end());
  data.core_speed = typical_core_speed(both);
  add_atoms(atoms, data);
  if (data.measurements.empty()) {
    fail("{}: no atom of host {} was measured without load", source, printable(data.host.id()));
  }
  add_composites(composites, data);
  return data;
}

}  // namespace adamec::train
