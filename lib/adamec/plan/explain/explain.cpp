#include "adamec/plan/explain/explain.h"

#include <algorithm>
#include <cmath>

#include "adamec/base/error.h"
#include "adamec/base/units.h"
#include "adamec/plan/explain/explain_limits.h"

namespace adamec::plan {
namespace {

// Large graphs have many cuts and wide ones; people read the first ones.
constexpr std::size_t kMaxCuts = 20;
constexpr std::size_t kMaxCandidates = 24;

std::string signed_ms(double ms) {
  if (std::abs(ms) < 5e-7) return "0";  // below half of what is printed
  return (ms < 0 ? "-" : "+") + format_ms(std::abs(ms));
}

// "a and b", "a, b and c".
std::string listed(const std::vector<std::string>& items) {
  std::string text;
  for (std::size_t i = 0; i < items.size(); ++i) {
    text += (i == 0 ? "" : i + 1 == items.size() ? " and " : ", ") + items[i];
  }
  return text;
}

// The places between blocks on different tiers, the start and the end of control included.
class CutExplainer {
 public:
  CutExplainer(const Evaluator& evaluator, const Plan& plan)
      : evaluator_(evaluator),
        costs_(evaluator.costs()),
        plan_(plan),
        block_of_(costs_.atoms.size(), 0) {
    const auto& blocks = plan.evaluation.blocks;
    for (std::size_t i = 0; i < blocks.size(); ++i) {
      for (int atom : blocks[i].atoms) block_of_[atom] = static_cast<int>(i);
    }
  }

  std::vector<std::string> explain() {
    const auto& blocks = plan_.evaluation.blocks;
    const int start = costs_.inputs.empty() ? 0 : costs_.inputs.front().tier;
    int end = -1;
    for (const Endpoint& output : costs_.outputs) end = end < 0 ? output.tier : end;
    const int count = static_cast<int>(blocks.size());
    for (int i = 0; i <= count; ++i) {
      const int from = i == 0 ? start : blocks[i - 1].tier;
      const int to = i == count ? end : blocks[i].tier;
      if (to < 0 || from == to) continue;
      if (++cuts_ > kMaxCuts) continue;
      cut(i, from, to);
    }
    if (cuts_ > kMaxCuts) {
      sentences_.push_back(fmt::format("There are {} more cuts.", cuts_ - kMaxCuts));
    }
    if (cuts_ == 0) explain_no_cut(start);
    return std::move(sentences_);
  }

 private:
  std::string atom(int index) const {
    return "'" + printable(costs_.graph.atoms()[index].id) + "'";
  }
  std::string tier(int index) const { return "'" + printable(costs_.tiers[index].name) + "'"; }

  void explain_no_cut(int start) {
    std::string text = fmt::format("Everything runs on {}, nothing is sent.", tier(start));
    for (int other = 0; other < costs_.tier_count(); ++other) {
      if (other == start) continue;
      const Evaluation all = evaluator_.evaluate(Placement(costs_.atoms.size(), other));
      text += all.feasible()
                  ? fmt::format(" All on {} would take {}, {} of it for transfers.", tier(other),
                                format_ms(all.latency_ms), format_ms(all.transfer_ms))
                  : fmt::format(" All on {} is impossible: {}.", tier(other), all.infeasible);
    }
    sentences_.push_back(text);
  }

  // Before block `next`.
  void cut(int next, int from, int to) {
    std::vector<std::string> sent;
    double ms = 0;
    for (const Transfer& transfer : plan_.evaluation.transfers) {
      if (transfer.from != from || transfer.to != to || !crosses(transfer.tensor, next)) continue;
      ms += transfer.ms;
      sent.push_back(fmt::format("'{}' ({})", printable(costs_.graph.tensors()[transfer.tensor].id),
                                 format_bytes(transfer.bytes)));
    }
    const int count = static_cast<int>(plan_.evaluation.blocks.size());
    const std::string where = next == 0       ? "At the start"
                              : next == count ? "At the end"
                                              : fmt::format("After block {}", next);
    std::string text = fmt::format("{}, control moves from {} to {}", where, tier(from), tier(to));
    if (sent.size() > 4) {
      text += fmt::format(" with {} tensors, which take {}", sent.size(), format_ms(ms));
    } else if (!sent.empty()) {
      text += fmt::format(" with {}, which take{} {}", listed(sent), sent.size() > 1 ? "" : "s",
                          format_ms(ms));
    }
    text += ".";
    if (next < count) text += " " + neighbour(next, false, from);
    if (next > 0) text += " " + neighbour(next - 1, true, to);
    sentences_.push_back(text);
  }

  // Whether the tensor is ready before block `next` and needed by it (or by whatever ends there).
  bool crosses(int tensor, int next) const {
    const graph::Tensor& description = costs_.graph.tensors()[tensor];
    const int ready = description.producer < 0 ? -1 : block_of_[description.producer];
    if (ready >= next) return false;
    const int count = static_cast<int>(plan_.evaluation.blocks.size());
    int needed = count;
    for (int consumer : description.consumers) {
      const bool elsewhere = description.producer < 0 ||
                             plan_.placement[consumer] != plan_.placement[description.producer];
      if (elsewhere) needed = std::min(needed, block_of_[consumer]);
    }
    return needed == next || (needed > next && ready == next - 1);
  }

  // What it would cost to move one atom of the block, at its end or its beginning, to the tier on
  // the other side of the cut.
  std::string neighbour(int block, bool at_end, int other) const {
    const auto& atoms = plan_.evaluation.blocks[block].atoms;
    int best = -1;
    Evaluation with_best;
    std::string obstacle;
    std::size_t tried = 0;
    const auto consider = [&](int candidate) {
      const auto& near =
          at_end ? costs_.graph.successors(candidate) : costs_.graph.predecessors(candidate);
      const bool inner = std::any_of(near.begin(), near.end(),
                                     [&](int atom_near) { return block_of_[atom_near] == block; });
      if (inner || tried >= kMaxCandidates) return;
      ++tried;
      Placement moved = plan_.placement;
      moved[candidate] = other;
      Evaluation evaluation = evaluator_.evaluate(moved);
      if (!evaluation.feasible()) {
        if (obstacle.empty()) obstacle = atom(candidate) + ": " + evaluation.infeasible;
      } else if (best < 0 || evaluation.latency_ms < with_best.latency_ms) {
        best = candidate;
        with_best = std::move(evaluation);
      }
    };
    if (at_end) {
      std::for_each(atoms.rbegin(), atoms.rend(), consider);
    } else {
      std::for_each(atoms.begin(), atoms.end(), consider);
    }
    const char* how = at_end ? "One atom less before it" : "One atom more before it";
    if (best < 0) return fmt::format("{} cannot run ({}).", how, obstacle);
    const Evaluation& now = plan_.evaluation;
    double compute = 0;
    for (std::size_t i = 0; i < now.compute_ms.size(); ++i) {
      compute += with_best.compute_ms[i] - now.compute_ms[i];
    }
    return fmt::format("{}, {} on {}, would cost {} (compute {}, transfers {}, moves {}).", how,
                       atom(best), tier(other), signed_ms(with_best.latency_ms - now.latency_ms),
                       signed_ms(compute), signed_ms(with_best.transfer_ms - now.transfer_ms),
                       signed_ms(with_best.handoff_ms - now.handoff_ms));
  }

  const Evaluator& evaluator_;
  const CostGraph& costs_;
  const Plan& plan_;
  std::vector<int> block_of_;  // per atom
  std::size_t cuts_ = 0;
  std::vector<std::string> sentences_;
};

std::string where_time_goes(const CostGraph& costs, const Plan& plan) {
  const Evaluation& evaluation = plan.evaluation;
  std::vector<std::string> parts;
  for (std::size_t i = 0; i < costs.tiers.size(); ++i) {
    if (evaluation.compute_ms[i] <= 0) continue;
    parts.push_back(fmt::format("{} on '{}'", format_ms(evaluation.compute_ms[i]),
                                printable(costs.tiers[i].name)));
  }
  if (evaluation.transfer_ms > 0) {
    parts.push_back(format_ms(evaluation.transfer_ms) + " for transfers");
  }
  if (evaluation.handoff_ms > 0) parts.push_back(format_ms(evaluation.handoff_ms) + " for moves");
  std::string text =
      fmt::format("The plan takes {}: {}.", format_ms(evaluation.latency_ms), listed(parts));
  if (plan.gap > 0) {
    text += fmt::format(" It is not proven optimal: no plan takes less than {}.",
                        format_ms(plan.lower_bound_ms));
  }
  return text;
}

}  // namespace

std::vector<std::string> explain_plan(const Evaluator& evaluator, const Plan& plan,
                                      std::optional<double> deadline_ms) {
  std::vector<std::string> sentences{where_time_goes(evaluator.costs(), plan)};
  for (std::string& sentence : CutExplainer(evaluator, plan).explain()) {
    sentences.push_back(std::move(sentence));
  }
  for (std::string& sentence : explain_limits(evaluator.costs(), plan)) {
    sentences.push_back(std::move(sentence));
  }
  if (deadline_ms) {
    const double slack = *deadline_ms - plan.evaluation.latency_ms;
    sentences.push_back(fmt::format("The deadline of {} is {} by {}.", format_ms(*deadline_ms),
                                    slack >= 0 ? "met" : "missed", format_ms(std::abs(slack))));
  }
  return sentences;
}

}  // namespace adamec::plan
