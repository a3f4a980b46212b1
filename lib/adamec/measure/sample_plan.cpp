#include "adamec/measure/sample_plan.h"

#include <fmt/format.h>
#include <fnmatch.h>

#include <algorithm>
#include <map>
#include <unordered_map>

#include "adamec/base/error.h"
#include "adamec/measure/load_generator.h"
#include "adamec/predict/signature.h"

namespace adamec::measure {
namespace {

constexpr unsigned kMostThreads = 1024;

using TensorsById = std::unordered_map<std::string, const v1::Tensor*>;

TensorsById tensors_by_id(const v1::Manifest& manifest) {
  TensorsById tensors;
  for (const v1::Tensor& tensor : manifest.tensors()) tensors[tensor.id()] = &tensor;
  return tensors;
}

bool matches(const std::string& pattern, const v1::Manifest& manifest, const v1::Atom& atom) {
  return pattern.empty() || ::fnmatch(pattern.c_str(), atom.id().c_str(), 0) == 0 ||
         ::fnmatch(pattern.c_str(), qualified_name(manifest, atom).c_str(), 0) == 0;
}

// The record is in memory as bytes and as a module; the tensors around it once.
std::uint64_t working_bytes(const v1::Atom& atom, const TensorsById& tensors) {
  std::uint64_t bytes = 2 * atom.record_bytes() + atom.peak_activation_bytes();
  for (const std::string& input : atom.inputs()) bytes += tensors.at(input)->bytes();
  return bytes;
}

void add_model(std::vector<std::string>& models, const std::string& model) {
  const auto place = std::lower_bound(models.begin(), models.end(), model);
  if (place == models.end() || *place != model) models.insert(place, model);
}

void keep_shard(std::vector<PlanItem>& items, const Selection& selection) {
  std::vector<PlanItem> kept;
  for (std::size_t i = 0; i < items.size(); ++i) {
    if (i % selection.shards == selection.shard - 1) kept.push_back(std::move(items[i]));
  }
  items = std::move(kept);
}

}  // namespace

std::string qualified_name(const v1::Manifest& manifest, const v1::Atom& atom) {
  return manifest.model_name() + "/" + atom.id();
}

std::vector<PlanItem> make_plan(std::span<const v1::Manifest* const> manifests,
                                const Selection& selection) {
  std::vector<PlanItem> items;
  std::unordered_map<std::string, std::size_t> item_of;  // by signature
  std::map<std::string, std::vector<std::string>> models_of;
  for (std::size_t archive = 0; archive < manifests.size(); ++archive) {
    const v1::Manifest& manifest = *manifests[archive];
    const TensorsById tensors = tensors_by_id(manifest);
    for (const v1::Atom& atom : manifest.atoms()) {
      std::string signature = predict::signature(atom);
      add_model(models_of[signature], manifest.model_name());
      if (!matches(selection.only, manifest, atom)) continue;
      if (!item_of.emplace(signature, items.size()).second) continue;
      items.push_back({std::move(signature), archive, &atom, {}, working_bytes(atom, tensors)});
    }
  }
  for (PlanItem& item : items) item.models = models_of[item.signature];
  keep_shard(items, selection);
  return items;
}

std::vector<v1::Context> make_contexts(std::span<const unsigned> threads,
                                       std::span<const double> cpu_loads,
                                       const std::string& affinity) {
  std::vector<v1::Context> contexts;
  std::set<std::pair<unsigned, double>> seen;
  for (unsigned count : threads) {
    if (count < 1 || count > kMostThreads) {
      fail_with(ErrorKind::kUsage, "--threads: {} is not between 1 and {}", count, kMostThreads);
    }
    for (double load : cpu_loads) {
      if (!(load >= 0 && load <= kLargestLoad)) {
        fail_with(ErrorKind::kUsage, "--cpu-load: {} is not between 0 and {}", load, kLargestLoad);
      }
      if (!seen.insert({count, load}).second) continue;
      v1::Context& context = contexts.emplace_back();
      context.set_threads(count);
      context.set_cpu_load(load);
      context.set_affinity(affinity);
    }
  }
  return contexts;
}

std::string measurement_key(const std::string& signature, const v1::Context& context) {
  return fmt::format("{} {} {} {}\n{}", context.threads(), context.cpu_load(),
                     context.memory_limit(), context.affinity(), signature);
}

std::vector<std::size_t> open_contexts(const std::string& signature,
                                       std::span<const v1::Context> contexts,
                                       const std::set<std::string>& done) {
  std::vector<bool> open(contexts.size());
  std::set<unsigned> contended;  // thread counts
  for (std::size_t i = 0; i < contexts.size(); ++i) {
    open[i] = !done.contains(measurement_key(signature, contexts[i]));
    if (open[i] && contexts[i].cpu_load() > 0) contended.insert(contexts[i].threads());
  }
  std::vector<std::size_t> indices;
  for (std::size_t i = 0; i < contexts.size(); ++i) {
    const bool partner = contexts[i].cpu_load() == 0 && contended.contains(contexts[i].threads());
    if (open[i] || partner) indices.push_back(i);
  }
  return indices;
}

v1::Sample describe_sample(const PlanItem& item, const v1::Manifest& manifest) {
  const TensorsById tensors = tensors_by_id(manifest);
  const v1::Atom& atom = *item.atom;
  std::uint64_t bytes_in = 0;
  std::uint64_t bytes_out = 0;
  std::uint64_t weight_bytes = atom.weight_bytes();
  for (const std::string& id : atom.inputs()) {
    const v1::Tensor& tensor = *tensors.at(id);
    (tensor.role() == v1::WEIGHT ? weight_bytes : bytes_in) += tensor.bytes();
  }
  for (const std::string& id : atom.outputs()) bytes_out += tensors.at(id)->bytes();
  v1::Sample sample;
  sample.set_subject(v1::ATOM);
  sample.set_signature(item.signature);
  *sample.mutable_operators() = atom.operators();
  sample.set_bytes_in(bytes_in);
  sample.set_bytes_out(bytes_out);
  sample.set_weight_bytes(weight_bytes);
  sample.set_macs(atom.macs());
  sample.set_peak_activation_bytes(atom.peak_activation_bytes());
  sample.set_kind(atom.kind());
  sample.set_sample_atom(qualified_name(manifest, atom));
  for (const std::string& model : item.models) sample.add_models(model);
  return sample;
}

}  // namespace adamec::measure
