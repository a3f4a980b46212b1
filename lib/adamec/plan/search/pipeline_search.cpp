#include "adamec/plan/search/pipeline_search.h"

#include <algorithm>
#include <numeric>
#include <utility>

#include "adamec/base/error.h"
#include "adamec/plan/cost/infinite.h"
#include "adamec/plan/search/equal_cost.h"

namespace adamec::plan {
namespace {}  // namespace

PipelineSearch::PipelineSearch(const Evaluator& evaluator, const PipelineOptions& options)
    : costs_(evaluator.costs()),
      routes_(evaluator.routes()),
      order_(costs_.graph.topological_order()),
      atoms_(static_cast<int>(order_.size())),
      buffers_(options.buffers),
      source_(evaluator.control().start_tier()),
      sink_(evaluator.control().end_tier()) {
  find_cuts();
  find_kinds();
  for (const AtomCost& atom : costs_.atoms) {
    largest_activation_ = std::max(largest_activation_, atom.activation_bytes);
  }
}

void PipelineSearch::find_cuts() {
  std::vector<int> position(costs_.atoms.size());
  for (int i = 0; i < atoms_; ++i) position[order_[i]] = i;
  // Changes of the bytes that live between atoms.
  std::vector<__int128> change(static_cast<std::size_t>(atoms_) + 2, 0);
  std::vector<char> result(costs_.graph.tensors().size(), 0);
  for (const Endpoint& output : costs_.outputs) result[output.tensor] = output.tier >= 0;
  for (std::size_t i = 0; i < result.size(); ++i) {
    const graph::Tensor& tensor = costs_.graph.tensors()[i];
    const int made = tensor.producer < 0 ? 0 : position[tensor.producer] + 1;
    int needed = result[i] ? atoms_ + 1 : made;
    for (int consumer : tensor.consumers) needed = std::max(needed, position[consumer] + 1);
    change[made] += tensor.bytes;
    change[needed] -= tensor.bytes;
  }
  __int128 live = 0;
  for (int i = 0; i <= atoms_; ++i) {
    live += change[i];
    cut_bytes_.push_back(static_cast<Bytes>(live));
  }
}

bool PipelineSearch::runs_anything(int tier) const {
  return std::any_of(costs_.atoms.begin(), costs_.atoms.end(),
                     [&](const AtomCost& atom) { return atom.allowed[tier] != 0; });
}

// Whether the two tiers may change places and nothing else changes.
bool PipelineSearch::alike(int a, int b) const {
  if (a == source_ || b == source_ || a == sink_ || b == sink_) return false;
  if (costs_.tiers[a].memory_bytes != costs_.tiers[b].memory_bytes) return false;
  const bool atoms = std::all_of(costs_.atoms.begin(), costs_.atoms.end(), [&](const auto& atom) {
    return atom.latency_ms[a] == atom.latency_ms[b] && atom.allowed[a] == atom.allowed[b];
  });
  if (!atoms || routes_.ms_per_byte(a, b) != routes_.ms_per_byte(b, a)) return false;
  for (int other = 0; other < costs_.tier_count(); ++other) {
    if (other == a || other == b) continue;
    if (routes_.ms_per_byte(a, other) != routes_.ms_per_byte(b, other)) return false;
    if (routes_.ms_per_byte(other, a) != routes_.ms_per_byte(other, b)) return false;
  }
  return true;
}

void PipelineSearch::find_kinds() {
  for (int tier = 0; tier < costs_.tier_count(); ++tier) {
    if (!runs_anything(tier)) continue;
    const auto same = std::find_if(kinds_.begin(), kinds_.end(), [&](const TierKind& kind) {
      return std::all_of(kind.tiers.begin(), kind.tiers.end(),
                         [&](int other) { return alike(other, tier); });
    });
    if (same != kinds_.end()) {
      same->tiers.push_back(tier);
      continue;
    }
    TierKind kind{{tier}, {0}, {0}};
    for (int atom : order_) {
      const AtomCost& cost = costs_.atoms[atom];
      kind.compute_ms.push_back(kind.compute_ms.back() + cost.latency_ms[tier]);
      kind.forbidden.push_back(kind.forbidden.back() + (cost.allowed[tier] ? 0 : 1));
    }
    kinds_.push_back(std::move(kind));
  }
  double codes = 1;
  for (TierKind& kind : kinds_) {
    kind.stride = static_cast<int>(codes);
    codes *= kind.count() + 1;
    const double states = codes * static_cast<double>(kinds_.size()) * (atoms_ + 1);
    if (states > kMaxPipelineStates) {
      fail("{}: {} tiers and {} atoms are too many for a pipeline", costs_.source,
           costs_.tier_count(), atoms_);
    }
  }
  codes_ = static_cast<int>(codes);
}

double PipelineSearch::bytes_ms(int from, int to, Bytes bytes) const {
  if (from == to || bytes == 0) return routes_.reachable(from, to) ? 0 : kInfinite;
  return static_cast<double>(bytes) * routes_.ms_per_byte(from, to);
}

// Milliseconds per byte from a tier of one kind to a different tier of the other.
double PipelineSearch::between(int from_kind, int to_kind) const {
  const TierKind& from = kinds_[from_kind];
  const TierKind& to = kinds_[to_kind];
  if (from_kind != to_kind) return routes_.ms_per_byte(from.tiers[0], to.tiers[0]);
  return from.count() > 1 ? routes_.ms_per_byte(from.tiers[0], from.tiers[1]) : kInfinite;
}

// All stages on one more tier of `kind` behind the ways that end in (done, code, last_kind).
void PipelineSearch::extend(int done, int code, int last_kind, int kind) {
  const TierKind& here = kinds_[kind];
  if (used(code, kind) == here.count()) return;
  double base = 0;
  int moves = 0;
  if (last_kind < 0) {
    base = bytes_ms(source_, here.tiers[0], cut_bytes_[0]);
    moves = here.tiers[0] == source_ ? 0 : 1;
  } else {
    const Way& before = way(done, code, last_kind);
    base =
        std::max(before.slowest, static_cast<double>(cut_bytes_[done]) * between(last_kind, kind));
    moves = before.moves;
  }
  if (!is_wanted(base)) return;
  const std::uint64_t limit = costs_.tiers[here.tiers[0]].memory_bytes;
  std::uint64_t weights = 0;
  std::uint64_t activation = 0;
  const int next = code + here.stride;
  for (int end = done + 1; end <= atoms_; ++end) {
    const double compute = here.compute_ms[end] - here.compute_ms[done];
    if (!is_wanted(compute) || here.forbidden[end] > here.forbidden[done]) return;
    const AtomCost& atom = costs_.atoms[order_[end - 1]];
    weights += atom.weight_bytes;
    activation = std::max(activation, atom.activation_bytes);
    if (limit > 0 && weights + activation > limit) return;
    if (limit > 0 && stage_bytes(weights, activation, done, end) > limit) continue;
    double slowest = std::max(base, compute);
    if (end == atoms_) slowest = std::max(slowest, return_ms(here.tiers[0]));
    if (!is_wanted(slowest)) continue;
    Way& there = way(end, next, kind);
    const bool better = second_ && there.from >= 0 ? moves < there.moves : slowest < there.slowest;
    if (!better) continue;
    there = {slowest, moves, done, last_kind};
    if (end == atoms_) finish(slowest, next, kind);
  }
}

int PipelineSearch::stages(int code) const {
  int count = 0;
  for (int kind = 0; kind < static_cast<int>(kinds_.size()); ++kind) count += used(code, kind);
  return count;
}

// All atoms are done, by the stages of `code`, the last of them on a tier of `kind`.
void PipelineSearch::finish(double slowest, int code, int kind) {
  if (second_) {
    const bool returns = sink_ >= 0 && sink_ != kinds_[kind].tiers[0];
    const PlanSize size{stages(code), way(atoms_, code, kind).moves + (returns ? 1 : 0)};
    if (best_code_ >= 0 && !(size < best_size_)) return;
    best_size_ = size;
  } else {
    best_ = slowest;
  }
  best_code_ = code;
  best_kind_ = kind;
}

void PipelineSearch::extend_all() {
  const int kinds = static_cast<int>(kinds_.size());
  ways_.assign(static_cast<std::size_t>(atoms_ + 1) * codes_ * kinds_.size(), Way());
  best_code_ = -1;
  for (int kind = 0; kind < kinds; ++kind) extend(0, 0, -1, kind);
  for (int done = 1; done < atoms_; ++done) {
    for (int code = 1; code < codes_; ++code) {
      for (int last = 0; last < kinds; ++last) {
        if (!is_wanted(way(done, code, last).slowest)) continue;
        for (int kind = 0; kind < kinds; ++kind) extend(done, code, last, kind);
      }
    }
  }
}

Pipeline PipelineSearch::run() {
  if (atoms_ == 0) return {};
  extend_all();
  if (best_code_ < 0) fail_infeasible();
  std::vector<Stretch> best = stretches(best_code_, best_kind_);
  if (moves(best) > 0) {
    second_ = true;
    limit_ = equal_cost_limit(best_);
    extend_all();
    best = stretches(best_code_, best_kind_);
  }
  best_ = std::max(best_, measure(best).slowest_ms);  // sums in a different order: rounding
  put_in_order(best);
  return measure(best);
}

}  // namespace adamec::plan
