// Branches and loops that depend on data: copied as they are, and run as a whole.
#include <algorithm>

#include "adamec/base/error.h"
#include "adamec/torchscript/run/node_visits.h"
#include "adamec/torchscript/specialise/operator_kinds.h"
#include "adamec/torchscript/specialise/operator_results.h"
#include "adamec/torchscript/specialise/partial_evaluator.h"
#include "adamec/torchscript/specialise/unsupported.h"

namespace adamec::torchscript {
namespace {

// Whether something in the node's blocks makes a number, a decision or a shape from the content of
// tensors.
bool looks_at_content(jit::Node* node) {
  return any_node(node, [node](jit::Node* inner) {
    if (inner == node || inner->kind() == c10::prim::If) return false;
    if (inner->kind() == c10::prim::Loop) return true;
    if (is_type_query(inner) || is_shape_query(inner)) return false;
    const auto inputs = inner->inputs();
    const auto outputs = inner->outputs();
    return std::any_of(inputs.begin(), inputs.end(), is_tensor) &&
           (shape_may_depend_on_content(inner) ||
            std::any_of(outputs.begin(), outputs.end(),
                        [](const jit::Value* output) { return is_number(output->type()); }));
  });
}

// The copied node in a graph of its own, to be run.
struct DynamicRun {
  std::shared_ptr<jit::Graph> graph = std::make_shared<jit::Graph>();
  std::unordered_map<jit::Value*, jit::Value*> arguments;  // by the values the copy reads
  jit::Stack stack;
  std::vector<std::pair<KnownValuePtr, c10::IValue>> containers;  // with what they are in this run
};

DynamicRun prepare_run(jit::Node* copy, const std::vector<BlockCopier::Use>& outside) {
  DynamicRun run;
  for (const auto& [value, source] : outside) {
    if (run.arguments.count(value) != 0) continue;
    run.arguments[value] = run.graph->addInput()->setType(c10::unshapedType(value->type()));
    run.stack.push_back(concrete(*source));
    if (source->is_container()) run.containers.emplace_back(source, run.stack.back());
  }
  jit::Node* node = run.graph->insertNode(
      run.graph->createClone(copy, [&](jit::Value* value) { return run.arguments.at(value); }));
  for (jit::Value* output : node->outputs()) run.graph->registerOutput(output);
  return run;
}

// What it may write to is not known afterwards, on the branch not taken either. Throws LearntMore
// for memory of the model, and Unsupported for other memory whose content was known.
void note_uses_of_constants(jit::Node* node, const DynamicRun& run,
                            const std::vector<BlockCopier::Use>& outside,
                            ModelAttributes& attributes, ResidualWriter& writer) {
  const jit::AliasDb aliases(run.graph);
  for (const auto& [value, source] : outside) {
    const std::vector<at::Tensor> constants = constant_tensors({source});
    if (constants.empty()) continue;
    jit::Value* argument = run.arguments.at(value);
    if (aliases.hasWriters(argument)) {
      if (source->kind == KnownValue::Kind::kTensor) {
        attributes.learn_memory_write(source->value.toTensor());
      }
      throw_unsupported(node, "a branch or loop on data writes to a tensor from outside");
    }
    if (aliases.mayContainAlias(argument, run.graph->outputs())) {
      for (const at::Tensor& constant : constants) writer.note_view_of(constant);
    }
  }
}

// Its length depends on data from here on.
void make_opaque(KnownValue& container, const c10::IValue& content, jit::Value* residual) {
  container.kind = KnownValue::Kind::kOpaque;
  container.value = content;
  container.residual = residual;
  container.elements.clear();
  container.keys.clear();
}

}  // namespace

void PartialEvaluator::emit_dynamic(jit::Node* node) {
  BlockCopier copier([this](jit::Value* value) { return known(value); }, attributes_, writer_);
  jit::Node* copy = copier.copy(node);
  DynamicRun run = prepare_run(copy, copier.outside());
  note_uses_of_constants(node, run, copier.outside(), attributes_, writer_);
  jit::GraphExecutor(run.graph, "dynamic").run(run.stack);
  if (copier.changes_containers()) {
    for (const auto& [container, content] : run.containers) {
      for (const auto& [value, source] : copier.outside()) {
        if (source != container) continue;
        attributes_.learn_container_write(*container);
        make_opaque(*container, content, value);
      }
    }
  }
  bind_dynamic(node, copy, copier, run.stack);
}

// Results of the copy: what the node gives, then what attributes hold from here on.
void PartialEvaluator::bind_dynamic(jit::Node* node, jit::Node* copy, const BlockCopier& copier,
                                    const jit::Stack& results) {
  Provenance provenance;
  provenance.from_data = true;
  provenance.from_state =
      !looks_at_content(copy) &&
      std::all_of(copier.outside().begin(), copier.outside().end(),
                  [](const auto& use) { return known_from_state(*use.second); });
  if (guards_.open_sizes() && provenance.from_state) provenance.from_data = false;
  provenance.guard = construct(node);
  if (const int count = dynamic_runs_[provenance.guard]++; count > 0) {
    provenance.guard += fmt::format(", time {}", count + 1);
  }
  KnownValues outputs = known_results(copy, results, provenance, writer_, guards_);
  if (!is_scalar_code(copy)) {
    for (const KnownValuePtr& output : outputs) {  // numbers cross from atom to atom as tensors
      if (output->kind != KnownValue::Kind::kOpaque) continue;
      const c10::TypePtr type = output->residual->type();
      if (is_number(type))
        output->residual = writer_.unboxed(writer_.boxed(output->residual), type);
    }
  }
  for (const auto& [key, output] : copier.assigned()) attributes_.set(key, outputs.at(output));
  outputs.resize(node->outputs().size());
  bind(node->outputs(), outputs);
}

}  // namespace adamec::torchscript
