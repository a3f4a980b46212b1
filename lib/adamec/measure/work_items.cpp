#include "adamec/measure/work_items.h"

#include <fmt/format.h>
#include <fnmatch.h>

#include <algorithm>
#include <map>
#include <numeric>
#include <set>
#include <unordered_map>
#include <unordered_set>

#include "adamec/measure/synthesis/composite.h"
#include "adamec/predict/signature.h"

namespace adamec::measure {
namespace {

using TensorsById = std::unordered_map<std::string, const v1::Tensor*>;

TensorsById tensors_by_id(const v1::Manifest& manifest) {
  TensorsById tensors;
  for (const v1::Tensor& tensor : manifest.tensors()) tensors[tensor.id()] = &tensor;
  return tensors;
}

bool matches(const std::string& pattern, const std::string& model, const std::string& name) {
  return pattern.empty() || ::fnmatch(pattern.c_str(), name.c_str(), 0) == 0 ||
         ::fnmatch(pattern.c_str(), (model + "/" + name).c_str(), 0) == 0;
}

v1::Sample describe_atom(const v1::Manifest& manifest, const v1::Atom& atom,
                         const std::string& signature, const TensorsById& tensors) {
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
  sample.set_signature(signature);
  *sample.mutable_operators() = atom.operators();
  sample.set_bytes_in(bytes_in);
  sample.set_bytes_out(bytes_out);
  sample.set_weight_bytes(weight_bytes);
  sample.set_macs(atom.macs());
  sample.set_peak_activation_bytes(atom.peak_activation_bytes());
  sample.set_kind(atom.kind());
  sample.set_sample_atom(qualified_name(manifest, atom));
  return sample;
}

// The records are in memory as bytes and as modules; the tensors around them once.
std::uint64_t working_bytes(const v1::Sample& sample) {
  return 2 * sample.weight_bytes() + sample.peak_activation_bytes() + sample.bytes_in();
}

// Collects the different configurations.
class WorkItemCollector {
 public:
  WorkItemCollector(std::span<const WorkSource> sources, const Selection& selection)
      : sources_(sources), selection_(selection) {
    for (const WorkSource& source : sources) {
      auto& signatures = signatures_.emplace_back();
      for (const v1::Atom& atom : source.manifest->atoms()) {
        signatures.push_back(predict::signature(atom));
      }
    }
  }

  std::vector<WorkItem> run() {
    for (std::size_t i = 0; i < sources_.size(); ++i) add_atoms(i);
    for (std::size_t i = 0; i < sources_.size() && selection_.models; ++i) add_model(i);
    for (std::size_t i = 0; i < sources_.size(); ++i) add_blocks(i);
    for (WorkItem& item : items_) {
      for (const std::string& model : models_of_[item.signature()]) item.sample.add_models(model);
      item.working_bytes = working_bytes(item.sample);
    }
    keep_shard();
    return std::move(items_);
  }

 private:
  void add_atoms(std::size_t archive) {
    const v1::Manifest& manifest = *sources_[archive].manifest;
    const TensorsById tensors = tensors_by_id(manifest);
    for (int i = 0; i < manifest.atoms_size(); ++i) {
      const v1::Atom& atom = manifest.atoms(i);
      const std::string& signature = signatures_[archive][static_cast<std::size_t>(i)];
      add({describe_atom(manifest, atom, signature, tensors), archive, {i}, atom.id()});
    }
  }

  void add_model(std::size_t archive) {
    std::vector<int> atoms(signatures_[archive].size());
    std::iota(atoms.begin(), atoms.end(), 0);
    if (atoms.size() < 2 || sources_[archive].synthetic) return;  // the atom is the model
    add_composite(v1::MODEL, archive, atoms, "model:combined");
    add_composite(v1::SEQUENCE, archive, atoms, "model:atoms");
  }

  void add_blocks(std::size_t archive) {
    const WorkSource& source = sources_[archive];
    if (source.synthetic) return;
    for (unsigned i = 0; i < selection_.blocks; ++i) {
      const std::vector<int> atoms =
          random_block(*source.graph, source.manifest->model_name(), selection_.seed, i);
      if (!atoms.empty()) add_composite(v1::BLOCK, archive, atoms, fmt::format("block:{}", i));
    }
  }

  void add_composite(v1::Subject subject, std::size_t archive, const std::vector<int>& atoms,
                     const std::string& name) {
    const WorkSource& source = sources_[archive];
    v1::Sample sample =
        describe_composite(subject, *source.manifest, *source.graph, atoms, signatures_[archive]);
    sample.set_sample_atom(source.manifest->model_name() + "/" + name);
    add({std::move(sample), archive, atoms, name});
  }

  void add(WorkItem item) {
    const std::string& model = sources_[item.archive].manifest->model_name();
    if (!sources_[item.archive].synthetic) models_of_[item.signature()].insert(model);
    if (!matches(selection_.only, model, item.name)) return;
    if (chosen_.insert(item.signature()).second) items_.push_back(std::move(item));
  }

  void keep_shard() {
    std::vector<WorkItem> kept;
    for (std::size_t i = 0; i < items_.size(); ++i) {
      if (i % selection_.shards == selection_.shard - 1) kept.push_back(std::move(items_[i]));
    }
    items_ = std::move(kept);
  }

  std::span<const WorkSource> sources_;
  const Selection& selection_;
  std::vector<std::vector<std::string>> signatures_;  // by archive and atom
  std::vector<WorkItem> items_;
  std::unordered_set<std::string> chosen_;                  // signatures
  std::map<std::string, std::set<std::string>> models_of_;  // by signature
};

}  // namespace

std::string qualified_name(const v1::Manifest& manifest, const v1::Atom& atom) {
  return manifest.model_name() + "/" + atom.id();
}

std::vector<WorkItem> make_work_items(std::span<const WorkSource> sources,
                                      const Selection& selection) {
  return WorkItemCollector(sources, selection).run();
}

std::vector<v1::Configuration> part_configurations(std::span<const WorkSource> sources,
                                                   std::span<const WorkItem> plan) {
  std::map<std::string, v1::Configuration> parts;
  for (const WorkItem& item : plan) {
    for (int i = 0; i < item.sample.parts_size(); ++i) {
      const std::string& signature = item.sample.parts(i);
      if (parts.count(signature) != 0) continue;
      const int atom = item.atoms[static_cast<std::size_t>(i)];
      parts[signature] = describe_part(signature, sources[item.archive].manifest->atoms(atom));
    }
  }
  std::vector<v1::Configuration> result;
  for (auto& [signature, part] : parts) result.push_back(std::move(part));
  return result;
}

}  // namespace adamec::measure
