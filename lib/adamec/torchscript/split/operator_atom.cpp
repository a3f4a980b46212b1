#include "adamec/torchscript/split/operator_atom.h"

#include <ATen/CPUGeneratorImpl.h>

#include <algorithm>
#include <unordered_map>

#include "adamec/base/error.h"
#include "adamec/torchscript/cut/atom_module.h"
#include "adamec/torchscript/cut/cut.h"
#include "adamec/torchscript/describe/subnormals.h"
#include "adamec/torchscript/load/load.h"
#include "adamec/torchscript/run/compat.h"
#include "adamec/torchscript/run/execute.h"
#include "adamec/torchscript/run/libtorch.h"
#include "adamec/torchscript/run/made_up_inputs.h"
#include "adamec/torchscript/run/message.h"
#include "adamec/torchscript/run/reproducible.h"
#include "adamec/torchscript/specialise/specialise.h"
#include "adamec/torchscript/split/literal.h"
#include "adamec/torchscript/split/manifest_writer.h"

namespace adamec::torchscript {
namespace {

// No weight becomes an input: the atom has all it needs.
constexpr std::uint64_t kNothingShared = UINT64_MAX;

bool is_packed_type(const c10::Type& type) {
  return type.repr_str().find("PackedParams") != std::string::npos;
}

const c10::FunctionSchema& schema_of(const std::string& name) {
  const std::size_t colons = name.find("::");
  const std::size_t dot = name.find('.', colons == std::string::npos ? 0 : colons);
  const std::string base = name.substr(0, dot);
  const std::string overload = dot == std::string::npos ? "" : name.substr(dot + 1);
  if (colons != std::string::npos) {
    for (const auto& op : jit::getAllOperatorsFor(c10::Symbol::fromQualString(base))) {
      if (op->schema().overload_name() == overload) return op->schema();
    }
  }
  fail("no operator '{}' in this LibTorch", printable(name));
}

// A module whose forward() calls the operator on its arguments and its weights.
class OperatorModule {
 public:
  OperatorModule(const v1::Operator& op, std::uint64_t seed, MadeUpIntegers integers)
      : op_(op),
        integers_(integers),
        schema_(schema_of(op.name())),
        generator_(at::make_generator<at::CPUGeneratorImpl>(seed)),
        self_(graph_->addInput("self")->setType(module_._ivalue()->type())) {}

  void make() {
    std::vector<jit::Value*> values;
    for (const c10::Argument& parameter : schema_.arguments()) {
      values.push_back(value_of(parameter));
    }
    jit::Node* node = graph_->create(c10::Symbol::fromQualString(schema_.name()), values,
                                     schema_.returns().size());
    for (std::size_t i = 0; i < schema_.returns().size(); ++i) {
      node->outputs()[i]->setType(schema_.returns()[i].type());
    }
    graph_->insertNode(node);
    if (node->outputs().size() == 1) {
      graph_->registerOutput(node->output());
    } else {
      const std::vector<jit::Value*> outputs(node->outputs().begin(), node->outputs().end());
      graph_->registerOutput(graph_->insertNode(graph_->createTuple(outputs))->output());
    }
    auto* forward = module_._ivalue()->compilation_unit()->create_function(
        c10::QualifiedName(*module_.type()->name(), "forward"), graph_);
    module_.type()->addMethod(forward);
    module_.eval();
  }

  const jit::Module& module() const { return module_; }
  const std::vector<c10::IValue>& arguments() const { return arguments_; }

 private:
  jit::Value* value_of(const c10::Argument& parameter) {
    for (const v1::Argument& argument : op_.arguments()) {
      if (argument.name() != parameter.name()) continue;
      try {
        return argument.tensors().empty() ? literal_value(argument, parameter.type())
                                          : tensor_value(argument, parameter.type());
      } catch (const Error& error) {
        fail("{}: {}", printable(argument.name()), error.what());
      }
    }
    if (is_packed_type(*parameter.type())) return packed_weights(parameter.type());
    if (!parameter.default_value()) fail("{}: argument is missing", parameter.name());
    return graph_->insertConstant(*parameter.default_value());
  }

  // Quantised layers hold weight and bias, and convolutions their strides and the like, in one
  // object, which describe.cpp takes apart.
  jit::Value* packed_weights(const c10::TypePtr& type) {
    const bool convolution = type->repr_str().find("Conv") != std::string::npos;
    const v1::Argument& weight = argument("weight");
    if (weight.tensors_size() != 1) fail("weight: expected one tensor");
    const std::string prepack = !convolution ? "quantized::linear_prepack"
                                             : fmt::format("quantized::conv{}d_prepack",
                                                           weight.tensors(0).shape_size() - 2);
    jit::Stack stack;
    for (const c10::Argument& parameter : schema_of(prepack).arguments()) {
      if (parameter.type()->isSubtypeOf(*c10::TensorType::get()) && parameter.name() != "B" &&
          parameter.name() != "bias") {
        stack.emplace_back(quantised_weight(weight.tensors(0)));
      } else if (parameter.name() == "B" || parameter.name() == "bias") {
        const v1::Argument& bias = argument("bias");
        stack.push_back(bias.tensors().empty() ? c10::IValue()
                                               : c10::IValue(random(bias.tensors(0))));
      } else {
        stack.push_back(parse_literal(argument(parameter.name()).literal(), parameter.type()));
      }
    }
    jit::getAllOperatorsFor(c10::Symbol::fromQualString(prepack)).at(0)->getOperation()(stack);
    const std::string name = fmt::format("weight_{}", weights_++);
    module_.register_attribute(name, stack.at(0).type(), stack.at(0));
    return graph_->insertGetAttr(self_, name);
  }

  const v1::Argument& argument(const std::string& name) const {
    for (const v1::Argument& candidate : op_.arguments()) {
      if (candidate.name() == name) return candidate;
    }
    fail("{}: argument is missing", name);
  }

  jit::Value* literal_value(const v1::Argument& argument, const c10::TypePtr& type) {
    return graph_->insertConstant(parse_literal(argument.literal(), type));
  }

  jit::Value* tensor_value(const v1::Argument& argument, const c10::TypePtr& type) {
    std::vector<jit::Value*> tensors;
    for (const v1::TensorType& tensor : argument.tensors()) {
      tensors.push_back(argument.weight() ? weight(tensor) : input(tensor));
    }
    if (type->kind() != c10::TypeKind::ListType) return tensors.front();
    return graph_->insertNode(graph_->createList(c10::TensorType::get(), tensors))->output();
  }

  jit::Value* input(const v1::TensorType& type) {
    arguments_.emplace_back(random(type));
    return graph_->addInput()->setType(c10::TensorType::get());
  }

  jit::Value* weight(const v1::TensorType& type) {
    const std::string name = fmt::format("weight_{}", weights_++);
    // Variances must be positive, and nothing minds if other weights are.
    module_.register_buffer(name, random(type).abs());
    return graph_->insertGetAttr(self_, name);
  }

  at::Tensor random(const v1::TensorType& type) {
    return made_up_tensor(type, generator_, integers_);
  }

  // One scale per output channel, as LibTorch's own quantisation gives weights.
  at::Tensor quantised_weight(const v1::TensorType& type) {
    const std::vector<std::int64_t> shape(type.shape().begin(), type.shape().end());
    if (type.dtype() != v1::QINT8 || shape.empty()) fail("weight: expected qint8");
    const at::Tensor numbers = normal_numbers(shape, generator_);
    const at::Tensor scales = at::full({shape[0]}, kMadeUpScale, at::kDouble);
    return at::quantize_per_channel(numbers, scales, at::zeros({shape[0]}, at::kLong), 0,
                                    at::kQInt8);
  }

  const v1::Operator& op_;
  const MadeUpIntegers integers_;
  const c10::FunctionSchema schema_;
  at::Generator generator_;
  jit::Module module_{c10::QualifiedName("__torch__.adamec.Synthetic")};
  std::shared_ptr<jit::Graph> graph_ = std::make_shared<jit::Graph>();
  jit::Value* self_;
  std::vector<c10::IValue> arguments_;
  int weights_ = 0;
};

// Its inputs are the arguments, in their order, each of them a tensor.
void describe_subnormals(const std::vector<c10::IValue>& arguments, v1::Manifest& manifest) {
  Subnormals found;
  for (std::size_t i = 0; i < arguments.size(); ++i) {
    const std::uint32_t permille = subnormal_permille(arguments[i].toTensor());
    if (permille == 0) continue;
    found[manifest.inputs(static_cast<int>(i)).value().tensor()] = permille;
  }
  set_subnormals(found, manifest);
}

void measure_memory(SplitResult& result, const std::vector<c10::IValue>& arguments) {
  std::unordered_map<std::string, const std::string*> records;
  for (const archive::Record& record : result.records) records[record.name] = &record.bytes;
  AtomExecutor executor(
      result.manifest,
      [&](const std::string& name) -> std::string_view { return *records.at(name); }, false);
  executor.run(arguments, [&](int i, const std::function<void()>& run) {
    result.manifest.mutable_atoms(i)->set_peak_activation_bytes(peak_allocated_bytes(run));
  });
}

SplitResult make_atom(const v1::Operator& op, const std::string& id, std::uint64_t seed,
                      MadeUpIntegers integers, bool with_memory) {
  OperatorModule made(op, seed, integers);
  made.make();
  Residual residual = specialise(made.module(), "forward", made.arguments());
  const std::vector<AtomDraft> drafts = cut(residual, kNothingShared);
  if (drafts.size() != 1) fail("it becomes {} atoms", drafts.size());
  LoadedModel model;
  model.name = "synthetic";
  ManifestWriter writer(model, "forward", {});
  writer.add_inputs(made.module(), made.arguments(), {});
  writer.add_atoms(residual, drafts);
  writer.make_records(residual, drafts);
  SplitResult result{writer.take_manifest(), writer.take_records(), {}};
  describe_subnormals(made.arguments(), result.manifest);
  if (with_memory) measure_memory(result, made.arguments());
  result.manifest.mutable_atoms(0)->set_id(id);
  return result;
}

bool takes_integers(const v1::Operator& op) {
  return std::any_of(op.arguments().begin(), op.arguments().end(), [](const auto& argument) {
    return std::any_of(argument.tensors().begin(), argument.tensors().end(), holds_integers);
  });
}

SplitResult make_atom(const v1::Operator& op, const std::string& id, std::uint64_t seed,
                      bool with_memory) {
  const at::NoGradGuard no_grad;
  const std::shared_ptr<void> silence = silence_warnings();
  const ReproducibleRuns reproducible;
  seed_random_numbers(seed);
  try {
    try {
      return make_atom(op, id, seed, MadeUpIntegers::kZeroOrOne, with_memory);
    } catch (const std::exception&) {
      if (!takes_integers(op)) throw;
      return make_atom(op, id, seed, MadeUpIntegers::kZero, with_memory);
    }
  } catch (const Error& error) {
    fail("{}: {}", id, error.what());
  } catch (const std::exception& error) {
    fail("{}: {}", id, reason_of(error));
  }
}

}  // namespace

SplitResult operator_atom(const v1::Operator& op, const std::string& id, std::uint64_t seed) {
  return make_atom(op, id, seed, true);
}

SplitResult operator_program(const v1::Operator& op, const std::string& id, std::uint64_t seed) {
  return make_atom(op, id, seed, false);
}

}  // namespace adamec::torchscript
