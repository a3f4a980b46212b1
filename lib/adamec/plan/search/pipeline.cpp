#include "adamec/plan/search/pipeline.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <utility>

#include "adamec/base/error.h"
#include "adamec/base/units.h"
#include "adamec/plan/search/shared_state.h"

namespace adamec::plan {
namespace {

constexpr double kInfinite = std::numeric_limits<double>::infinity();

// Tiers that nothing tells apart.
struct Kind {
  std::vector<int> tiers;
  std::vector<double> compute_ms;  // of the first i atoms
  std::vector<int> forbidden;      // of the first i atoms, those that may not run here
  int stride = 0;                  // in the code of used tiers

  int count() const { return static_cast<int>(tiers.size()); }
};

class PipelineSearch {
 public:
  PipelineSearch(const Evaluator& evaluator, const PipelineOptions& options)
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

  Pipeline run();

 private:
  struct Way {
    double slowest = kInfinite;
    int from = -1;       // atoms done before the last stage
    int last_kind = -1;  // of the stage before
  };
  struct Piece {
    int tier;
    int first;
    int last;
  };

  void find_cuts();
  void find_kinds();
  bool alike(int a, int b) const;
  bool runs_anything(int tier) const;
  void extend(int done, int code, int last_kind, int kind);
  double between(int from_kind, int to_kind) const;
  double bytes_ms(int from, int to, std::uint64_t bytes) const;
  double return_ms(int tier) const {
    return sink_ < 0 ? 0 : bytes_ms(tier, sink_, cut_bytes_[atoms_]);
  }
  Way& way(int done, int code, int kind) {
    return ways_[(static_cast<std::size_t>(done) * codes_ + code) * kinds_.size() + kind];
  }
  int used(int code, int kind) const {
    return code / kinds_[kind].stride % (kinds_[kind].count() + 1);
  }
  std::vector<Piece> pieces(int code, int kind);
  void put_in_order(std::vector<Piece>& pieces) const;
  bool runs(const std::vector<Piece>& pieces) const;
  Pipeline measure(const std::vector<Piece>& pieces) const;
  [[noreturn]] void fail_infeasible() const;

  const CostGraph& costs_;
  const TierRoutes& routes_;
  const std::vector<int>& order_;
  int atoms_;
  int buffers_;
  int source_;
  int sink_;
  std::vector<std::uint64_t> cut_bytes_;  // before the i-th atom; inputs first, results last
  std::vector<Kind> kinds_;
  int codes_ = 1;
  std::uint64_t largest_activation_ = 0;
  std::vector<Way> ways_;
  double best_ = kInfinite;
  int best_code_ = -1;
  int best_kind_ = -1;
};

void PipelineSearch::find_cuts() {
  std::vector<int> position(costs_.atoms.size());
  for (int i = 0; i < atoms_; ++i) position[order_[i]] = i;
  // Changes of the bytes that live between atoms.
  std::vector<std::int64_t> change(static_cast<std::size_t>(atoms_) + 2, 0);
  std::vector<char> result(costs_.graph.tensors().size(), 0);
  for (const Endpoint& output : costs_.outputs) result[output.tensor] = output.tier >= 0;
  for (std::size_t i = 0; i < result.size(); ++i) {
    const graph::Tensor& tensor = costs_.graph.tensors()[i];
    const int made = tensor.producer < 0 ? 0 : position[tensor.producer] + 1;
    int needed = result[i] ? atoms_ + 1 : made;
    for (int consumer : tensor.consumers) needed = std::max(needed, position[consumer] + 1);
    change[made] += static_cast<std::int64_t>(tensor.bytes);
    change[needed] -= static_cast<std::int64_t>(tensor.bytes);
  }
  std::int64_t live = 0;
  for (int i = 0; i <= atoms_; ++i) {
    live += change[i];
    cut_bytes_.push_back(static_cast<std::uint64_t>(live));
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
    const auto same = std::find_if(kinds_.begin(), kinds_.end(), [&](const Kind& kind) {
      return std::all_of(kind.tiers.begin(), kind.tiers.end(),
                         [&](int other) { return alike(other, tier); });
    });
    if (same != kinds_.end()) {
      same->tiers.push_back(tier);
      continue;
    }
    Kind kind{{tier}, {0}, {0}};
    for (int atom : order_) {
      const AtomCost& cost = costs_.atoms[atom];
      kind.compute_ms.push_back(kind.compute_ms.back() + cost.latency_ms[tier]);
      kind.forbidden.push_back(kind.forbidden.back() + (cost.allowed[tier] ? 0 : 1));
    }
    kinds_.push_back(std::move(kind));
  }
  double codes = 1;
  for (Kind& kind : kinds_) {
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

double PipelineSearch::bytes_ms(int from, int to, std::uint64_t bytes) const {
  if (from == to || bytes == 0) return routes_.reachable(from, to) ? 0 : kInfinite;
  return static_cast<double>(bytes) * routes_.ms_per_byte(from, to);
}

// Milliseconds per byte from a tier of one kind to another tier of the other.
double PipelineSearch::between(int from_kind, int to_kind) const {
  const Kind& from = kinds_[from_kind];
  const Kind& to = kinds_[to_kind];
  if (from_kind != to_kind) return routes_.ms_per_byte(from.tiers[0], to.tiers[0]);
  return from.count() > 1 ? routes_.ms_per_byte(from.tiers[0], from.tiers[1]) : kInfinite;
}

// All stages on one more tier of `kind` behind the ways that end in (done, code, last_kind).
void PipelineSearch::extend(int done, int code, int last_kind, int kind) {
  const Kind& here = kinds_[kind];
  if (used(code, kind) == here.count()) return;
  double base = 0;
  if (last_kind < 0) {
    base = bytes_ms(source_, here.tiers[0], cut_bytes_[0]);
  } else {
    base = std::max(way(done, code, last_kind).slowest,
                    static_cast<double>(cut_bytes_[done]) * between(last_kind, kind));
  }
  if (!(base < best_)) return;  // NaN, too: no bytes over no link
  const std::uint64_t limit = costs_.tiers[here.tiers[0]].memory_bytes;
  const std::uint64_t buffers = static_cast<std::uint64_t>(buffers_);
  std::uint64_t weights = 0;
  std::uint64_t activation = 0;
  const int next = code + here.stride;
  for (int end = done + 1; end <= atoms_; ++end) {
    const double compute = here.compute_ms[end] - here.compute_ms[done];
    if (compute >= best_ || here.forbidden[end] > here.forbidden[done]) return;
    const AtomCost& atom = costs_.atoms[order_[end - 1]];
    weights += atom.weight_bytes;
    activation = std::max(activation, atom.activation_bytes);
    if (limit > 0 && weights + activation > limit) return;
    const std::uint64_t memory =
        weights + activation + buffers * (cut_bytes_[done] + cut_bytes_[end]);
    if (limit > 0 && memory > limit) continue;
    double slowest = std::max(base, compute);
    if (end == atoms_) slowest = std::max(slowest, return_ms(here.tiers[0]));
    Way& there = way(end, next, kind);
    if (slowest >= there.slowest) continue;
    there = {slowest, done, last_kind};
    if (end == atoms_ && slowest < best_) {
      best_ = slowest;
      best_code_ = next;
      best_kind_ = kind;
    }
  }
}

// The stages of the way that ends with all atoms, on the first tiers of each kind.
std::vector<PipelineSearch::Piece> PipelineSearch::pieces(int code, int kind) {
  std::vector<Piece> result;
  for (int done = atoms_; done > 0;) {
    const Way& last = way(done, code, kind);
    result.push_back({kind, last.from, done});
    code -= kinds_[kind].stride;
    done = last.from;
    kind = last.last_kind;
  }
  std::reverse(result.begin(), result.end());
  std::vector<int> next(kinds_.size(), 0);
  for (Piece& piece : result) {
    const int of_kind = piece.tier;
    piece.tier = kinds_[of_kind].tiers[next[of_kind]++];
  }
  return result;
}

// Where tiers may change places at no cost, the earlier ones come first.
void PipelineSearch::put_in_order(std::vector<Piece>& pieces) const {
  for (std::size_t i = 0; i < pieces.size(); ++i) {
    for (int tier = 0; tier < pieces[i].tier; ++tier) {
      std::vector<Piece> other = pieces;
      const auto later = std::find_if(other.begin(), other.end(),
                                      [&](const Piece& piece) { return piece.tier == tier; });
      if (later != other.end() && later - other.begin() < static_cast<std::ptrdiff_t>(i)) continue;
      if (later != other.end()) later->tier = other[i].tier;
      other[i].tier = tier;
      if (!runs(other) || !(measure(other).slowest_ms <= best_)) continue;
      pieces = std::move(other);
      break;
    }
  }
}

bool PipelineSearch::runs(const std::vector<Piece>& pieces) const {
  const Pipeline measured = measure(pieces);
  for (const Stage& stage : measured.stages) {
    const std::uint64_t limit = costs_.tiers[stage.tier].memory_bytes;
    if (limit > 0 && stage.memory_bytes > limit) return false;
    for (int i = stage.first; i < stage.last; ++i) {
      if (!costs_.atoms[order_[i]].allowed[stage.tier]) return false;
    }
  }
  return true;
}

Pipeline PipelineSearch::measure(const std::vector<Piece>& pieces) const {
  Pipeline result;
  int at = source_;
  const auto note = [&](double ms, const std::string& what) {
    if (ms <= result.slowest_ms) return;
    result.slowest_ms = ms;
    result.slowest = what;
  };
  for (const Piece& piece : pieces) {
    Stage stage{piece.tier, piece.first, piece.last, 0, 0, 0};
    std::uint64_t activation = 0;
    for (int i = piece.first; i < piece.last; ++i) {
      const AtomCost& atom = costs_.atoms[order_[i]];
      stage.compute_ms += atom.latency_ms[piece.tier];
      stage.memory_bytes += atom.weight_bytes;
      activation = std::max(activation, atom.activation_bytes);
    }
    stage.receive_ms = bytes_ms(at, piece.tier, cut_bytes_[piece.first]);
    stage.memory_bytes += activation + static_cast<std::uint64_t>(buffers_) *
                                           (cut_bytes_[piece.first] + cut_bytes_[piece.last]);
    const std::string name = printable(costs_.tiers[piece.tier].name);
    note(stage.receive_ms,
         fmt::format("sending from '{}' to '{}'", printable(costs_.tiers[at].name), name));
    note(stage.compute_ms, fmt::format("computing on '{}'", name));
    result.stages.push_back(stage);
    at = piece.tier;
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
            format_bytes(*std::max_element(cut_bytes_.begin(), cut_bytes_.end())),
            format_bytes(largest_activation_));
}

Pipeline PipelineSearch::run() {
  if (atoms_ == 0) return {};
  const int kinds = static_cast<int>(kinds_.size());
  ways_.resize(static_cast<std::size_t>(atoms_ + 1) * codes_ * kinds_.size());
  for (int kind = 0; kind < kinds; ++kind) extend(0, 0, -1, kind);
  for (int done = 1; done < atoms_; ++done) {
    for (int code = 1; code < codes_; ++code) {
      for (int last = 0; last < kinds; ++last) {
        if (way(done, code, last).slowest >= best_) continue;
        for (int kind = 0; kind < kinds; ++kind) extend(done, code, last, kind);
      }
    }
  }
  if (best_code_ < 0) fail_infeasible();
  std::vector<Piece> best = pieces(best_code_, best_kind_);
  best_ = std::max(best_, measure(best).slowest_ms);  // sums in another order differ by rounding
  put_in_order(best);
  return measure(best);
}

}  // namespace

Pipeline find_pipeline(const Evaluator& evaluator, const PipelineOptions& options) {
  if (has_alternatives(evaluator.costs())) {
    const auto pipelines = find_in_each(
        evaluator.costs(), [&](const Evaluator& pinned) { return find_pipeline(pinned, options); });
    return *std::min_element(
        pipelines.begin(), pipelines.end(),
        [](const Pipeline& a, const Pipeline& b) { return a.slowest_ms < b.slowest_ms; });
  }
  return PipelineSearch(evaluator, options).run();
}

}  // namespace adamec::plan
