#include "adamec/torchscript/blocks/combine.h"

#include <algorithm>
#include <unordered_map>

#include "adamec/archive/value.h"
#include "adamec/base/error.h"
#include "adamec/torchscript/blocks/in_place.h"
#include "adamec/torchscript/blocks/optimize.h"
#include "adamec/torchscript/cut/atom_module.h"
#include "adamec/torchscript/run/libtorch.h"
#include "adamec/torchscript/run/message.h"
#include "adamec/torchscript/run/record.h"

namespace adamec::torchscript {
namespace {

void check_convex(const AtomSource& source, std::span<const int> atoms) {
  if (atoms.empty()) fail("{}: a block needs at least one atom", source.name);
  const std::vector<int> path = source.graph.path_outside(atoms);
  if (path.empty()) return;
  std::string text;
  for (const int atom : path) {
    if (!text.empty()) text += " -> ";
    text += source.manifest.atoms(atom).id();
  }
  fail("{}: these atoms are no block: the path {} leaves the set and enters it again", source.name,
       text);
}

// Whether the atom is one operator whose result has the type of its first argument.
bool keeps_type(const v1::Atom& atom) {
  if (atom.kind() != v1::OPERATOR || atom.operators_size() != 1) return false;
  const v1::Operator& op = atom.operators(0);
  return op.results_size() == 1 && op.arguments_size() > 0 && op.arguments(0).tensors_size() == 1 &&
         op.arguments(0).tensors(0).dtype() == op.results(0).dtype();
}

class Combiner {
 public:
  Combiner(const AtomSource& source, const BlockOptions& options)
      : source_(source),
        options_(options),
        self_(graph_->addInput("self")->setType(module_._ivalue()->type())) {
    for (const v1::Tensor& tensor : source.manifest.tensors()) {
      const bool inside = options.weights_outside.count(tensor.id()) == 0;
      if (tensor.role() == v1::WEIGHT && inside) weights_[tensor.id()] = &tensor;
    }
  }

  BlockModule run(std::vector<int> atoms) {
    std::sort(atoms.begin(), atoms.end());  // the manifest's order is an execution order
    BlockModule block;
    add_inputs(atoms, block);
    for (const int atom : atoms) add_atom(source_.manifest.atoms(atom));
    add_outputs(atoms, block);
    // What folds operators into each other looks for them as they are.
    if (options_.form != BlockForm::kOptimized) write_in_place(may_write_in_place_);
    jit::LowerSimpleTuples(graph_);
    jit::EliminateDeadCode(graph_);
    auto* forward = module_._ivalue()->compilation_unit()->create_function(
        c10::QualifiedName(*module_.type()->name(), "forward"), graph_);
    module_.type()->addMethod(forward);
    module_.eval();
    block.record = module_record(in_form());
    return block;
  }

 private:
  jit::Module in_form() const {
    switch (options_.form) {
      case BlockForm::kFrozen:
        return jit::freeze_module(module_);
      case BlockForm::kOptimized:
        return jit::freeze(module_);
      case BlockForm::kNamedWeights:
        break;
    }
    return module_;
  }

  void add_inputs(const std::vector<int>& atoms, BlockModule& block) {
    std::set<std::string> made;
    for (const int atom : atoms) {
      for (const std::string& input : source_.manifest.atoms(atom).inputs()) {
        if (made.count(input) != 0 || values_.count(input) != 0 || weights_.count(input) != 0) {
          continue;
        }
        values_[input] = graph_->addInput();
        block.inputs.push_back(input);
      }
      for (const std::string& output : source_.manifest.atoms(atom).outputs()) {
        made.insert(output);
      }
    }
  }

  void add_outputs(const std::vector<int>& atoms, BlockModule& block) {
    std::set<std::string> needed;
    for (std::string& id : archive::tensors_of(source_.manifest.output())) {
      needed.insert(std::move(id));
    }
    for (const v1::Tensor& tensor : source_.manifest.tensors()) needed.insert(tensor.next());
    for (int i = 0; i < source_.manifest.atoms_size(); ++i) {
      if (std::binary_search(atoms.begin(), atoms.end(), i)) continue;
      const auto& inputs = source_.manifest.atoms(i).inputs();
      needed.insert(inputs.begin(), inputs.end());
    }
    std::vector<jit::Value*> outputs;
    for (const int atom : atoms) {
      for (const std::string& output : source_.manifest.atoms(atom).outputs()) {
        if (needed.count(output) == 0) continue;
        block.outputs.push_back(output);
        outputs.push_back(values_.at(output));
      }
    }
    graph_->registerOutput(outputs.size() == 1
                               ? outputs[0]
                               : graph_->insertNode(graph_->createTuple(outputs))->output());
  }

  // The atom's program, its attributes moved to the block's module under new names.
  void add_atom(const v1::Atom& atom) {
    const jit::Module module = load_record(source_.record(atom.record()));
    const std::shared_ptr<jit::Graph> program = module.get_method("forward").graph()->copy();
    const std::unordered_map<std::string, std::string> names = move_attributes(module);
    for (jit::Node* node : program->nodes()) rename_attributes(node, program->inputs()[0], names);
    std::vector<jit::Value*> arguments{self_};
    for (const std::string& input : atom.inputs()) arguments.push_back(value_of(input));
    std::vector<jit::Value*> results = jit::insertGraph(*graph_, *program, arguments);
    if (atom.outputs_size() > 1) {
      jit::Node* unpack = graph_->insertNode(graph_->createTupleUnpack(results.at(0)));
      results.assign(unpack->outputs().begin(), unpack->outputs().end());
    }
    for (int i = 0; i < atom.outputs_size(); ++i) values_[atom.outputs(i)] = results.at(i);
    if (keeps_type(atom)) may_write_in_place_.push_back(results.at(0)->node());
  }

  static void rename_attributes(jit::Node* node, jit::Value* self,
                                const std::unordered_map<std::string, std::string>& names) {
    const bool attribute = node->kind() == c10::prim::GetAttr || node->kind() == c10::prim::SetAttr;
    if (attribute && node->inputs()[0] == self) {
      node->s_(c10::attr::name, names.at(node->s(c10::attr::name)));
    }
    for (jit::Block* block : node->blocks()) {
      for (jit::Node* inner : block->nodes()) rename_attributes(inner, self, names);
    }
  }

  std::unordered_map<std::string, std::string> move_attributes(const jit::Module& module) {
    std::unordered_map<std::string, std::string> names;
    const auto type = module.type();
    for (std::size_t i = 0; i < type->numAttributes(); ++i) {
      const std::string old_name = type->getAttributeName(i);
      const std::string name = fmt::format("{}_{}", old_name, attributes_++);
      const c10::IValue content = module._ivalue()->getSlot(i);
      if (content.isModule()) {
        module_.register_module(name, content.toModule());
      } else if (content.isTensor()) {
        module_.register_buffer(name, content.toTensor());
      } else {
        module_.register_attribute(name, type->getAttribute(i), content);
      }
      names[old_name] = name;
    }
    return names;
  }

  jit::Value* value_of(const std::string& id) {
    const auto known = values_.find(id);
    if (known != values_.end()) return known->second;
    const std::string name = fmt::format("shared_{}", attributes_++);
    jit::Module weight = load_record(source_.record(weights_.at(id)->record()));
    module_.register_buffer(name, weight.forward({}).toTensor());
    return values_[id] = graph_->insertGetAttr(self_, name);
  }

  const AtomSource& source_;
  const BlockOptions& options_;
  jit::Module module_{c10::QualifiedName("__torch__.adamec.Block")};
  std::shared_ptr<jit::Graph> graph_ = std::make_shared<jit::Graph>();
  jit::Value* self_;
  std::unordered_map<std::string, const v1::Tensor*> weights_;
  std::unordered_map<std::string, jit::Value*> values_;  // by tensor id
  std::vector<jit::Node*> may_write_in_place_;
  int attributes_ = 0;
};

}  // namespace

BlockModule combine(const AtomSource& source, std::span<const int> atoms,
                    const BlockOptions& options) {
  check_convex(source, atoms);
  try {
    return Combiner(source, options).run({atoms.begin(), atoms.end()});
  } catch (const Error&) {
    throw;
  } catch (const std::exception& error) {
    fail("{}: the atoms cannot be combined: {}", source.name, reason_of(error));
  }
}

BlockModule combine(const archive::Reader& archive, std::span<const int> atoms,
                    const BlockOptions& options) {
  std::unordered_map<std::string, const v1::Atom*> by_record;
  for (const v1::Atom& atom : archive.manifest().atoms()) by_record[atom.record()] = &atom;
  std::unordered_map<std::string, const v1::Tensor*> weights;
  for (const v1::Tensor& tensor : archive.manifest().tensors()) weights[tensor.record()] = &tensor;
  std::string bytes;
  const auto record = [&](const std::string& name) -> std::string_view {
    const auto atom = by_record.find(name);
    return bytes = atom != by_record.end() ? archive.read_atom(*atom->second)
                                           : archive.read_weight(*weights.at(name));
  };
  return combine(AtomSource{archive.manifest(), archive.graph(), archive.name(), record}, atoms,
                 options);
}

BlockModule combine(const archive::Reader& archive, std::span<const int> atoms, bool frozen) {
  BlockOptions options;
  if (frozen) options.form = BlockForm::kFrozen;
  return combine(archive, atoms, options);
}

jit::Module optimize_for_machine(jit::Module block) { return jit::optimize_for_inference(block); }

}  // namespace adamec::torchscript
