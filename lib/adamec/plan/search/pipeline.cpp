#include "adamec/plan/search/pipeline.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "adamec/base/error.h"
#include "adamec/base/units.h"
#include "adamec/plan/search/equal_cost.h"
#include "adamec/plan/search/pipeline_search.h"
#include "adamec/plan/search/shared_state.h"

namespace adamec::plan {
namespace {

std::uint64_t saturated(unsigned __int128 bytes) {
  return bytes > UINT64_MAX ? UINT64_MAX : static_cast<std::uint64_t>(bytes);
}

}  // namespace

// The stages of the way that ends with all atoms, on the first tiers of each kind.
std::vector<PipelineSearch::Stretch> PipelineSearch::stretches(int code, int kind) {
  std::vector<Stretch> result;
  for (int done = atoms_; done > 0;) {
    const Way& last = way(done, code, kind);
    result.push_back({kind, last.from, done});
    code -= kinds_[kind].stride;
    done = last.from;
    kind = last.last_kind;
  }
  std::reverse(result.begin(), result.end());
  std::vector<int> next(kinds_.size(), 0);
  for (Stretch& stretch : result) {
    const int of_kind = stretch.tier;
    stretch.tier = kinds_[of_kind].tiers[next[of_kind]++];
  }
  return result;
}

int PipelineSearch::moves(const std::vector<Stretch>& stretches) const {
  int count = static_cast<int>(stretches.size()) - 1;
  if (stretches.front().tier != source_) ++count;
  if (sink_ >= 0 && stretches.back().tier != sink_) ++count;
  return count;
}

// Where tiers may change places at no cost, the earlier ones come first.
void PipelineSearch::put_in_order(std::vector<Stretch>& stretches) const {
  for (std::size_t i = 0; i < stretches.size(); ++i) {
    for (int tier = 0; tier < stretches[i].tier; ++tier) {
      std::vector<Stretch> other = stretches;
      const auto later = std::find_if(other.begin(), other.end(),
                                      [&](const Stretch& stretch) { return stretch.tier == tier; });
      if (later != other.end() && later - other.begin() < static_cast<std::ptrdiff_t>(i)) continue;
      if (later != other.end()) later->tier = other[i].tier;
      other[i].tier = tier;
      if (!runs(other) || !(measure(other).slowest_ms <= best_)) continue;
      if (moves(other) > moves(stretches)) continue;
      stretches = std::move(other);
      break;
    }
  }
}

bool PipelineSearch::runs(const std::vector<Stretch>& stretches) const {
  const Pipeline measured = measure(stretches);
  for (const Stage& stage : measured.stages) {
    const std::uint64_t limit = costs_.tiers[stage.tier].memory_bytes;
    if (limit > 0 && stage.memory_bytes > limit) return false;
    for (int i = stage.first; i < stage.last; ++i) {
      if (!costs_.atoms[order_[i]].allowed[stage.tier]) return false;
    }
  }
  return true;
}

Pipeline PipelineSearch::measure(const std::vector<Stretch>& stretches) const {
  Pipeline result;
  int at = source_;
  const auto note = [&](double ms, const std::string& what) {
    if (ms <= result.slowest_ms) return;
    result.slowest_ms = ms;
    result.slowest = what;
  };
  for (const Stretch& stretch : stretches) {
    Stage stage{stretch.tier, stretch.first, stretch.last, 0, 0, 0};
    std::uint64_t activation = 0;
    for (int i = stretch.first; i < stretch.last; ++i) {
      const AtomCost& atom = costs_.atoms[order_[i]];
      stage.compute_ms += atom.latency_ms[stretch.tier];
      stage.memory_bytes += atom.weight_bytes;
      activation = std::max(activation, atom.activation_bytes);
    }
    stage.receive_ms = bytes_ms(at, stretch.tier, cut_bytes_[stretch.first]);
    const Bytes bytes = stage_bytes(stage.memory_bytes, activation, stretch.first, stretch.last);
    stage.memory_bytes = saturated(bytes);
    const std::string name = printable(costs_.tiers[stretch.tier].name);
    note(stage.receive_ms,
         fmt::format("sending from '{}' to '{}'", printable(costs_.tiers[at].name), name));
    note(stage.compute_ms, fmt::format("computing on '{}'", name));
    result.stages.push_back(stage);
    at = stretch.tier;
  }
  result.return_ms = return_ms(at);
  note(result.return_ms,
       fmt::format("sending results from '{}'", printable(costs_.tiers[at].name)));
  return result;
}

void PipelineSearch::fail_infeasible() const {
  std::uint64_t memory = 0;
  bool limited = true;
  for (const Tier& tier : costs_.tiers) {
    memory += tier.memory_bytes;
    limited = limited && tier.memory_bytes > 0;
  }
  std::uint64_t weights = 0;
  for (const AtomCost& atom : costs_.atoms) weights += atom.weight_bytes;
  if (limited && weights > memory) {
    fail_with(ErrorKind::kInfeasible,
              "{}: no pipeline fits: the weights take {}, {} more than all tiers have",
              costs_.source, format_bytes(weights), format_bytes(weights - memory));
  }
  fail_with(ErrorKind::kInfeasible,
            "{}: no pipeline can run: stages with {} buffers per boundary (largest boundary {}, "
            "largest activation {}) do not fit, or a link is missing",
            costs_.source, buffers_,
            format_bytes(saturated(*std::max_element(cut_bytes_.begin(), cut_bytes_.end()))),
            format_bytes(largest_activation_));
}

Pipeline find_pipeline(const Evaluator& evaluator, const PipelineOptions& options) {
  if (has_alternatives(evaluator.costs())) {
    const auto pipelines = find_in_each(
        evaluator.costs(), [&](const Evaluator& pinned) { return find_pipeline(pinned, options); });
    return simplest(
        pipelines, [](const Pipeline& pipeline) { return pipeline.slowest_ms; },
        [](const Pipeline& pipeline) { return pipeline.stages.size(); });
  }
  return PipelineSearch(evaluator, options).run();
}

}  // namespace adamec::plan
