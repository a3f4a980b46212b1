#include "adamec/measure/synthesis/composite.h"

#include <algorithm>
#include <cassert>
#include <cmath>
#include <random>
#include <set>

#include "adamec/predict/signature.h"

namespace adamec::measure {
namespace {

std::mt19937_64 random_stream(const std::string& name, std::uint64_t seed, unsigned index) {
  const std::uint64_t hash = predict::signature_hash(name);
  std::seed_seq seeds{static_cast<std::uint32_t>(seed), static_cast<std::uint32_t>(seed >> 32),
                      static_cast<std::uint32_t>(hash), static_cast<std::uint32_t>(hash >> 32),
                      static_cast<std::uint32_t>(index)};
  return std::mt19937_64(seeds);
}

double uniform(std::mt19937_64& random) {
  return static_cast<double>(random() >> 11) / static_cast<double>(std::uint64_t{1} << 53);
}

std::vector<int> neighbours(const graph::AtomGraph& graph, const std::set<int>& block) {
  std::set<int> found;
  for (const int atom : block) {
    for (const auto* list : {&graph.successors(atom), &graph.predecessors(atom)}) {
      for (const int other : *list) {
        if (block.count(other) == 0) found.insert(other);
      }
    }
  }
  return {found.begin(), found.end()};
}

// Adds the atoms on all paths that leave the block and enter it again.
void make_convex(const graph::AtomGraph& graph, std::set<int>& block) {
  for (;;) {
    const std::vector<int> atoms(block.begin(), block.end());
    const std::vector<int> path = graph.path_outside(atoms);
    if (path.empty()) return;
    block.insert(path.begin(), path.end());
  }
}

// What leaves the block, for it is used elsewhere or by nobody (then the model returns it).
bool leaves(const graph::Tensor& tensor, const std::vector<int>& atoms) {
  return tensor.consumers.empty() ||
         std::any_of(tensor.consumers.begin(), tensor.consumers.end(), [&](int consumer) {
           return !std::binary_search(atoms.begin(), atoms.end(), consumer);
         });
}

void add_boundary(const v1::Manifest& manifest, const graph::AtomGraph& graph,
                  const std::vector<int>& atoms, v1::Sample& sample) {
  std::set<int> inputs;
  std::set<int> outputs;
  std::set<int> weights;
  for (const int atom : atoms) {
    for (const int tensor : graph.atoms()[atom].inputs) {
      if (manifest.tensors(tensor).role() == v1::WEIGHT) {
        weights.insert(tensor);
      } else if (!std::binary_search(atoms.begin(), atoms.end(),
                                     graph.tensors()[tensor].producer)) {
        inputs.insert(tensor);
      }
    }
    for (const int tensor : graph.atoms()[atom].outputs) {
      if (leaves(graph.tensors()[tensor], atoms)) outputs.insert(tensor);
    }
  }
  const auto bytes_of = [&](const std::set<int>& tensors) {
    std::uint64_t bytes = 0;
    for (const int tensor : tensors) bytes += graph.tensors()[tensor].bytes;
    return bytes;
  };
  sample.set_tensors_in(static_cast<std::uint32_t>(inputs.size()));
  sample.set_tensors_out(static_cast<std::uint32_t>(outputs.size()));
  sample.set_bytes_in(bytes_of(inputs));
  sample.set_bytes_out(bytes_of(outputs));
  sample.set_weight_bytes(sample.weight_bytes() + bytes_of(weights));
}

void add_edges(const graph::AtomGraph& graph, const std::vector<int>& atoms, v1::Sample& sample) {
  for (std::size_t consumer = 0; consumer < atoms.size(); ++consumer) {
    std::set<std::pair<std::uint32_t, int>> inputs;  // producer, tensor
    for (const int tensor : graph.atoms()[atoms[consumer]].inputs) {
      const int producer = graph.tensors()[tensor].producer;
      const auto place = std::lower_bound(atoms.begin(), atoms.end(), producer);
      if (place == atoms.end() || *place != producer) continue;
      inputs.insert({static_cast<std::uint32_t>(place - atoms.begin()), tensor});
    }
    for (const auto& [producer, tensor] : inputs) {
      v1::Edge& edge = *sample.add_edges();
      edge.set_producer(producer);
      edge.set_consumer(static_cast<std::uint32_t>(consumer));
      edge.set_bytes(graph.tensors()[tensor].bytes);
    }
  }
}

}  // namespace

std::vector<int> random_block(const graph::AtomGraph& graph, const std::string& name,
                              std::uint64_t seed, unsigned index) {
  const std::size_t count = graph.atoms().size();
  if (count < 3) return {};
  std::mt19937_64 random = random_stream(name, seed, index);
  const double largest = static_cast<double>(count - 1);
  const auto size = static_cast<std::size_t>(
      std::lround(std::exp(std::log(2.0) + uniform(random) * std::log(largest / 2))));
  std::set<int> block{static_cast<int>(random() % count)};
  while (block.size() < size) {
    const std::vector<int> next = neighbours(graph, block);
    if (next.empty()) break;
    block.insert(next[random() % next.size()]);
    make_convex(graph, block);
  }
  if (block.size() < 2 || block.size() == count) return {};
  return {block.begin(), block.end()};
}

v1::Sample describe_composite(v1::Subject subject, const v1::Manifest& manifest,
                              const graph::AtomGraph& graph, const std::vector<int>& atoms,
                              const std::vector<std::string>& signatures) {
  assert(std::is_sorted(atoms.begin(), atoms.end()));
  assert(signatures.size() == static_cast<std::size_t>(manifest.atoms_size()));
  v1::Sample sample;
  sample.set_subject(subject);
  for (const int index : atoms) {
    const v1::Atom& atom = manifest.atoms(index);
    sample.add_parts(signatures[index]);
    sample.set_weight_bytes(sample.weight_bytes() + atom.weight_bytes());
    sample.set_macs(sample.macs() + atom.macs());
    sample.set_peak_activation_bytes(
        std::max(sample.peak_activation_bytes(), atom.peak_activation_bytes()));
  }
  add_boundary(manifest, graph, atoms, sample);
  add_edges(graph, atoms, sample);
  sample.set_signature(predict::composite_signature(sample));
  return sample;
}

v1::Configuration describe_part(const std::string& signature, const v1::Atom& atom) {
  v1::Configuration part;
  part.set_signature(signature);
  part.set_kind(atom.kind());
  *part.mutable_operators() = atom.operators();
  part.set_macs(atom.macs());
  part.set_weight_bytes(atom.weight_bytes());
  return part;
}

}  // namespace adamec::measure
