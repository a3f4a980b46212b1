#include "tools/adamec-plan/costs.h"

#include <fmt/format.h>

#include <map>
#include <set>

#include "adamec/archive/value.h"
#include "adamec/base/error.h"

namespace adamec::tools {
namespace {

constexpr double kLeastOverhead = 1e-3;  // of the whole model's latency

class CostMaker {
 public:
  CostMaker(const archive::Reader& archive, const plan::Context& context, double quantile)
      : archive_(archive), manifest_(archive.manifest()), context_(context), quantile_(quantile) {}

  PredictedCosts make() {
    result_.message.set_name(manifest_.model_name());
    add_tiers_and_links();
    add_tensors();
    add_atoms();
    for (std::size_t i = 0; i < context_.tiers.size(); ++i) add_latencies(i);
    add_outputs();
    if (context_.atlas) add_ranges();
    plan::apply_pins(context_, result_.message);
    return std::move(result_);
  }

 private:
  void add_tiers_and_links() {
    for (const plan::TierContext& tier : context_.tiers) {
      v1::CostGraph::Tier* added = result_.message.add_tiers();
      added->set_name(tier.name);
      added->set_memory_bytes(tier.memory_bytes);
      added->set_power_watts(tier.power_watts);
    }
    for (const plan::LinkContext& link : context_.links) {
      v1::CostGraph::Link* added = result_.message.add_links();
      added->set_from(link.from);
      added->set_to(link.to);
      added->set_bytes_per_second(link.bytes_per_second);
      added->set_latency_ms(link.latency_ms);
      added->set_serialisation_ms_per_byte(link.serialisation_ms_per_byte);
      added->set_joules_per_byte(link.joules_per_byte);
    }
  }

  void add_tensors() {
    for (const v1::Tensor& tensor : manifest_.tensors()) {
      // State stays where it is, as weights do.
      if (tensor.role() == v1::WEIGHT || tensor.role() == v1::STATE) {
        shared_weights_[tensor.id()] = tensor.bytes();
        continue;
      }
      v1::CostGraph::Tensor* added = result_.message.add_tensors();
      added->set_id(tensor.id());
      added->set_bytes(tensor.bytes());
      if (tensor.role() != v1::INPUT) continue;
      v1::CostGraph::Endpoint* input = result_.message.add_inputs();
      input->set_tensor(tensor.id());
      input->set_tier(context_.input);
    }
  }

  void add_atoms() {
    for (const v1::Atom& atom : manifest_.atoms()) {
      v1::CostGraph::Atom* added = result_.message.add_atoms();
      added->set_id(atom.id());
      added->set_activation_bytes(atom.peak_activation_bytes());
      std::uint64_t weight_bytes = atom.weight_bytes();
      for (const std::string& input : atom.inputs()) {
        const auto shared = shared_weights_.find(input);
        if (shared == shared_weights_.end()) {
          added->add_inputs(input);
        } else {
          weight_bytes += shared->second;
        }
      }
      added->set_weight_bytes(weight_bytes);
      if (atom.stateful()) result_.message.add_together(atom.id());
      for (const std::string& output : atom.outputs()) added->add_outputs(output);
    }
  }

  const predict::Predictor& predictor(const std::string& path) {
    auto found = predictors_.find(path);
    if (found == predictors_.end()) {
      found = predictors_.emplace(path, predict::Predictor::load(path)).first;
      result_.files.push_back(path);
    }
    return found->second;
  }

  void add_latencies(std::size_t tier_index) {
    const plan::TierContext& tier = context_.tiers[tier_index];
    const predict::Predictor& of_tier = predictor(tier.predictor);
    check_host(tier_index, of_tier.message().host());
    const predict::RunContext run{tier.threads, tier.cpu_load};
    const std::vector<predict::Prediction> predictions = predict_parts(of_tier, run);
    int extrapolated = 0;
    std::set<std::string> unseen;
    for (int i = 0; i < manifest_.atoms_size(); ++i) {
      const predict::Prediction& prediction = predictions[static_cast<std::size_t>(i)];
      const v1::Atom& atom = manifest_.atoms(i);
      extrapolated += prediction.extrapolated;
      if (prediction.roofline && !atom.operators().empty()) unseen.insert(atom.operators(0).name());
      result_.message.mutable_atoms(i)->add_latency_ms(latency_ms(prediction, tier));
    }
    double sum_ms = 0;
    for (const predict::Prediction& prediction : predictions) sum_ms += prediction.p50_ms;
    // A call is about a microsecond: where it cannot matter it would only make planning harder.
    if (const double call_ms = of_tier.call_ms(run); call_ms > kLeastOverhead * sum_ms) {
      result_.message.mutable_tiers(static_cast<int>(tier_index))
          ->set_block_overhead_ms(call_ms * tier.slowdown);
    }
    if (!unseen.empty()) {
      result_.warnings.push_back(fmt::format(
          "{}: not trained on {}; on '{}' they are estimated from multiplications and bytes alone",
          tier.predictor, printable(fmt::format("{}", fmt::join(unseen, ", "))),
          printable(tier.name)));
    }
    if (extrapolated > 0) {
      result_.warnings.push_back(
          fmt::format("{}: {} of {} atoms on '{}' are unlike anything it was trained on",
                      tier.predictor, extrapolated, manifest_.atoms_size(), printable(tier.name)));
    }
  }

  double latency_ms(const predict::Prediction& prediction, const plan::TierContext& tier) const {
    return predict::quantile_ms(prediction, quantile_) * tier.slowdown;
  }

  // Every atom as a part of the whole: what boundaries add is the tier's block_overhead_ms.
  std::vector<predict::Prediction> predict_parts(const predict::Predictor& of_tier,
                                                 const predict::RunContext& run) const {
    std::vector<const v1::Atom*> atoms;
    std::vector<predict::PartEdge> edges;
    std::map<std::string, std::size_t> producers;  // of tensors
    std::map<std::string, double> bytes;
    for (const v1::Tensor& tensor : manifest_.tensors()) {
      bytes[tensor.id()] = static_cast<double>(tensor.bytes());
    }
    for (const v1::Atom& atom : manifest_.atoms()) {
      for (const std::string& input : atom.inputs()) {
        const auto producer = producers.find(input);
        if (producer == producers.end()) continue;
        edges.push_back({producer->second, atoms.size(), bytes[input]});
      }
      for (const std::string& output : atom.outputs()) producers[output] = atoms.size();
      atoms.push_back(&atom);
    }
    return of_tier.predict_parts(atoms, edges, run);
  }

  // What an atlas is made for, with the latencies at the knots of loads.
  void add_ranges() {
    *result_.message.mutable_atlas() = *context_.atlas;
    for (v1::AtlasRange& range : *result_.message.mutable_atlas()->mutable_ranges()) {
      for (const plan::TierContext& tier : context_.tiers) {
        if (range.quantity() != v1::AtlasRange::LOAD || tier.name != range.tier()) continue;
        for (auto& knot : *range.mutable_knots()) {
          for (const predict::Prediction& prediction :
               predict_parts(predictor(tier.predictor), {tier.threads, knot.load()})) {
            knot.add_latency_ms(latency_ms(prediction, tier));
          }
        }
      }
    }
  }

  void check_host(std::size_t tier_index, const v1::Host& host) {
    const plan::TierContext& tier = context_.tiers[tier_index];
    if (!tier.host.empty()) {
      if (tier.host == host.id()) return;
      result_.mismatches.push_back(
          fmt::format("{}: it comes from host '{}' ({}), but {}: tiers[{}].host is '{}'",
                      tier.predictor, printable(host.id()), printable(host.cpu_model()),
                      context_.source, tier_index, printable(tier.host)));
    } else if (host.libtorch_version() != manifest_.libtorch_version()) {
      result_.mismatches.push_back(
          fmt::format("{}: it comes from a host with LibTorch {}, but {} was made by LibTorch {}",
                      tier.predictor, printable(host.libtorch_version()), archive_.name(),
                      printable(manifest_.libtorch_version())));
    }
  }

  void add_outputs() {
    std::set<std::string> seen;
    for (const std::string& id : archive::tensors_of(manifest_.output())) {
      if (shared_weights_.count(id) > 0 || !seen.insert(id).second) continue;
      v1::CostGraph::Endpoint* output = result_.message.add_outputs();
      output->set_tensor(id);
      output->set_tier(context_.output);
    }
  }

  const archive::Reader& archive_;
  const v1::Manifest& manifest_;
  const plan::Context& context_;
  const double quantile_;
  PredictedCosts result_;
  std::map<std::string, std::uint64_t> shared_weights_;
  std::map<std::string, predict::Predictor> predictors_;
};

}  // namespace

PredictedCosts predict_costs(const archive::Reader& archive, const plan::Context& context,
                             double quantile) {
  return CostMaker(archive, context, quantile).make();
}

}  // namespace adamec::tools
