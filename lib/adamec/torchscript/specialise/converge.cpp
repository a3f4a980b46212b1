// Partial evaluation, again and again until nothing more is learnt of the model.
#include "adamec/torchscript/specialise/converge.h"

#include "adamec/base/error.h"
#include "adamec/torchscript/run/copy.h"
#include "adamec/torchscript/run/message.h"
#include "adamec/torchscript/run/node_visits.h"
#include "adamec/torchscript/specialise/partial_evaluator.h"

namespace adamec::torchscript {
namespace {

// Runs in a row over which the shapes of state must stay the same to be taken for granted.
constexpr int kConvergenceRuns = 4;

using IValues = std::vector<c10::IValue>;

// Runs the graph several times in a row. Returns the guard that does not hold, empty when all do.
std::string broken_guard(const Residual& residual, const IValues& arguments) {
  const at::NoGradGuard no_grad;
  std::vector<at::Tensor> state;
  for (const auto& entry : residual.states) state.push_back(entry.initial.clone());
  jit::GraphExecutor executor(residual.graph, "state");
  const int runs = residual.states.empty() ? 1 : kConvergenceRuns;
  for (int run = 0; run < runs; ++run) {
    std::vector<at::Tensor> tensors;
    for (const c10::IValue& argument : copy_of(arguments)) {
      collect_tensors({known_from(argument, argument.type(), true)}, tensors);
    }
    tensors.insert(tensors.end(), state.begin(), state.end());
    jit::Stack stack(tensors.begin(), tensors.end());
    for (const Residual::Weight& weight : residual.weights) stack.push_back(weight.content);
    try {
      executor.run(stack);
    } catch (const std::exception& error) {
      const std::string text = error.what();
      for (const std::string& guard : residual.guards) {
        if (text.find(guard + kGuardText) != std::string::npos) return guard;
      }
      throw;
    }
    for (std::size_t i = 0; i < state.size(); ++i) {
      state[i] = stack.at(residual.states[i].next).toTensor();
    }
  }
  return "";
}

bool assigns_attributes(const jit::Module& module, const std::string& method) {
  const auto graph = module.get_method(method).graph()->copy();
  inline_calls(*graph);
  for (jit::Node* node : graph->nodes()) {
    if (any_node(node, [](jit::Node* inner) { return inner->kind() == c10::prim::SetAttr; })) {
      return true;
    }
  }
  return false;
}

[[noreturn]] void fail_with_other_sizes(const std::exception& error) {
  fail("the model does not run with other sizes of its dynamic dimensions: {}", reason_of(error));
}

// Which sizes are not the same for all arguments.
void find_open_sizes(const jit::Module& module, const std::string& method, const IValues& arguments,
                     const std::vector<IValues>& others, Assumptions& assumptions) {
  const auto answers = [&](const IValues& these) {
    try {
      return PartialEvaluator(module, method, assumptions, true).run(copy_of(these)).answers;
    } catch (const LearntMore&) {
      return std::map<std::string, std::int64_t>();
    }
  };
  const auto first = answers(arguments);
  for (const auto& other : others) {
    std::map<std::string, std::int64_t> theirs;
    try {
      theirs = answers(other);
    } catch (const std::exception& error) {
      fail_with_other_sizes(error);
    }
    for (const auto& [place, answer] : theirs) {
      const auto mine = first.find(place);
      if (mine != first.end() && mine->second != answer) assumptions.varying.insert(place);
    }
  }
  if (!assumptions.attributes.empty()) {
    fail(
        "dynamic dimensions of a model that keeps state from one run to the next ('{}') are not "
        "supported",
        *assumptions.attributes.begin());
  }
}

// The guard that does not hold for one of the arguments, empty when all do.
std::string guard_broken_by_any(const Residual& residual, const IValues& arguments,
                                const std::vector<IValues>& others) {
  if (residual.guards.empty() && others.empty()) return "";
  std::string broken = broken_guard(residual, arguments);
  for (const IValues& other : others) {
    if (!broken.empty()) break;
    try {
      broken = broken_guard(residual, other);
    } catch (const std::exception& error) {
      fail_with_other_sizes(error);
    }
  }
  return broken;
}

// A residual that is good for all arguments and several runs; nothing: the assumptions have become
// more, or it has been tried in vain whether attributes are unchanging.
std::optional<Residual> try_once(const jit::Module& module, const std::string& method,
                                 const IValues& arguments, const std::vector<IValues>& others,
                                 Assumptions& assumptions) {
  const std::size_t before = assumptions.size();
  try {
    Residual residual =
        PartialEvaluator(module, method, assumptions, !others.empty()).run(copy_of(arguments));
    if (assumptions.size() != before) {
      if (assumptions.unchanging && !assumptions.attributes.empty()) assumptions = Assumptions();
      return std::nullopt;
    }
    const std::string broken = guard_broken_by_any(residual, arguments, others);
    if (broken.empty()) return residual;
    assumptions.varying.insert(broken);
  } catch (const LearntMore&) {
    if (assumptions.unchanging) {
      assumptions = Assumptions();
    } else if (assumptions.size() == before) {
      throw Unsupported("the model writes to memory that several of its attributes share",
                        /*state=*/true);
    }
  } catch (const Unsupported& unsupported) {
    if (!assumptions.unchanging) {
      throw Unsupported(unsupported.what(), unsupported.keeps_state ||
                                                !assumptions.attributes.empty() ||
                                                assigns_attributes(module, method));
    }
    assumptions = Assumptions();
  }
  return std::nullopt;
}

}  // namespace

Residual converge(Assumptions& assumptions,
                  const std::function<std::optional<Residual>()>& attempt) {
  for (;;) {
    const std::size_t known = assumptions.size();
    const bool tried = assumptions.unchanging;
    if (auto residual = attempt()) return *std::move(residual);
    const bool given_up = tried && !assumptions.unchanging;
    if (!given_up && assumptions.size() <= known) {
      fail(
          "internal error: partial evaluation learnt nothing from its last attempt, with {} "
          "assumptions",
          known);
    }
  }
}

Residual specialise(const jit::Module& module, const std::string& method,
                    const std::vector<c10::IValue>& arguments,
                    const std::vector<std::vector<c10::IValue>>& others) {
  Assumptions assumptions;
  if (!others.empty()) find_open_sizes(module, method, arguments, others, assumptions);
  assumptions.unchanging = others.empty() && assigns_attributes(module, method);
  return converge(assumptions,
                  [&] { return try_once(module, method, arguments, others, assumptions); });
}

}  // namespace adamec::torchscript
