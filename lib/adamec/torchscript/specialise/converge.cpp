// Partial evaluation, again and again until nothing more is learnt of the model's state.
#include "adamec/base/error.h"
#include "adamec/torchscript/load/arguments.h"
#include "adamec/torchscript/run/message.h"
#include "adamec/torchscript/run/node_visits.h"
#include "adamec/torchscript/specialise/specialiser.h"

namespace adamec::torchscript {
namespace {

// Runs in a row over which the shapes of state must stay the same to be taken for granted.
constexpr int kSettlingRuns = 4;

void collect_tensors(const ItemPtr& item, jit::Stack& stack) {
  if (item->kind == Item::Kind::kTensor) stack.push_back(item->value);
  for (const ItemPtr& element : item->elements) collect_tensors(element, stack);
}

// Runs the graph several times in a row. Returns the guard that does not hold, empty when all do.
std::string broken_guard(const Residual& residual, const std::vector<c10::IValue>& arguments) {
  const at::NoGradGuard no_grad;
  std::vector<at::Tensor> state;
  for (const auto& entry : residual.states) state.push_back(entry.initial.clone());
  jit::GraphExecutor executor(residual.graph, "state");
  const int runs = residual.states.empty() ? 1 : kSettlingRuns;
  for (int run = 0; run < runs; ++run) {
    jit::Stack stack;
    for (const c10::IValue& argument : arguments) {
      collect_tensors(item_from(argument.deepcopy(), argument.type(), true), stack);
    }
    for (const at::Tensor& tensor : state) stack.emplace_back(tensor);
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
void find_open_sizes(const jit::Module& module, const std::string& method,
                     const std::vector<c10::IValue>& arguments,
                     const std::vector<std::vector<c10::IValue>>& others, Facts& facts) {
  const auto answers = [&](const std::vector<c10::IValue>& these) {
    try {
      return Specialiser(module, method, facts, true).run(copy_of(these)).answers;
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
      if (mine != first.end() && mine->second != answer) facts.varying.insert(place);
    }
  }
  if (!facts.attributes.empty()) {
    fail(
        "dynamic dimensions of a model that keeps state from one run to the next ('{}') are not "
        "supported",
        *facts.attributes.begin());
  }
}

}  // namespace

Residual specialise(const jit::Module& module, const std::string& method,
                    const std::vector<c10::IValue>& arguments,
                    const std::vector<std::vector<c10::IValue>>& others) {
  Facts facts;
  if (!others.empty()) find_open_sizes(module, method, arguments, others, facts);
  facts.unchanging = others.empty() && assigns_attributes(module, method);
  for (;;) {
    if (facts.unchanging && !facts.attributes.empty()) facts = Facts();
    const std::size_t known = facts.size();
    try {
      Residual residual =
          Specialiser(module, method, facts, !others.empty()).run(copy_of(arguments));
      if (facts.size() != known) continue;
      if (residual.guards.empty() && others.empty()) return residual;
      std::string broken = broken_guard(residual, arguments);
      for (const auto& other : others) {
        if (!broken.empty()) break;
        try {
          broken = broken_guard(residual, other);
        } catch (const std::exception& error) {
          fail_with_other_sizes(error);
        }
      }
      if (broken.empty()) return residual;
      facts.varying.insert(broken);
    } catch (const LearntMore&) {
      if (facts.unchanging) {
        facts = Facts();
      } else if (facts.size() == known) {
        throw Unsupported("the model writes to memory that several of its attributes share",
                          /*state=*/true);
      }
    } catch (const Unsupported& unsupported) {
      if (facts.unchanging) {
        facts = Facts();
        continue;
      }
      throw Unsupported(unsupported.what(), unsupported.keeps_state || !facts.attributes.empty() ||
                                                assigns_attributes(module, method));
    }
  }
}

}  // namespace adamec::torchscript
