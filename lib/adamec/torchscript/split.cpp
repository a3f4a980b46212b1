#include "adamec/torchscript/split.h"

#include <algorithm>
#include <set>

#include "adamec/base/error.h"
#include "adamec/base/file.h"
#include "adamec/base/sha256.h"
#include "adamec/base/version.h"
#include "adamec/torchscript/compat.h"
#include "adamec/torchscript/cut.h"
#include "adamec/torchscript/describe.h"
#include "adamec/torchscript/execute.h"
#include "adamec/torchscript/load.h"
#include "adamec/torchscript/pch.h"
#include "adamec/torchscript/specialise.h"
#include "adamec/torchscript/walk.h"
#include "adamec/torchscript/whole_model.h"

namespace adamec::torchscript {
namespace {

// Weights that several atoms read and that are smaller than this are copied into each of them.
constexpr std::uint64_t kSharedWeightBytes = 1024;
// Runs of a stateful model that are compared.
constexpr int kStatefulRuns = 3;
constexpr std::size_t kMaxIdLength = 120;

// Arguments that a run may write to without spoiling the next.
std::vector<c10::IValue> fresh(const std::vector<c10::IValue>& arguments) {
  std::vector<c10::IValue> copies;
  for (const c10::IValue& argument : arguments) copies.push_back(argument.deepcopy());
  return copies;
}

class ManifestWriter {
 public:
  ManifestWriter(const LoadedModel& model, const SplitOptions& options) : options_(options) {
    manifest_.set_format_version(archive::kArchiveFormatVersion);
    manifest_.set_model_name(model.name);
    manifest_.set_model_sha256(model.sha256);
    manifest_.set_model_bytes(model.bytes);
    manifest_.set_adamec_version(version());
    manifest_.set_libtorch_version(libtorch_version());
    manifest_.set_method(options.method);
  }

  // The model's arguments, and a tensor for each tensor among them.
  void add_inputs(const jit::Module& module, const std::vector<c10::IValue>& arguments) {
    const auto& schema = module.get_method(options_.method).function().getSchema();
    for (std::size_t i = 0; i < arguments.size(); ++i) {
      v1::Input* input = manifest_.add_inputs();
      input->set_name(schema.arguments()[i + 1].name());
      const std::string id = unique(tensor_ids_, input->name());
      *input->mutable_value() = input_value(arguments[i], id, input->name());
    }
  }

  void add_atoms(const Residual& residual, const std::vector<AtomDraft>& drafts) {
    for (std::size_t i = 0; i < residual.inputs.size(); ++i) {
      names_[residual.inputs[i]] = input_ids_.at(i);
    }
    for (const Residual::Weight& weight : residual.weights) weights_.insert(weight.value);
    for (const AtomDraft& draft : drafts) {
      for (jit::Value* input : draft.piece.inputs) {
        if (weights_.count(input) != 0) add_weight(residual, input);
      }
    }
    *manifest_.mutable_output() = output_value(residual, *residual.output, drafts);
    std::size_t done = 0;
    for (const AtomDraft& draft : drafts) {
      add_atom(residual, draft);
      if (options_.progress) options_.progress(++done, drafts.size());
    }
    resolve_output(*manifest_.mutable_output());
  }

  void add_whole(const jit::Module& module, const std::vector<c10::IValue>& arguments) {
    const std::string id = unique(atom_ids_, "model");
    WholeModel whole = keep_whole(module, options_.method, manifest_, arguments, id);
    v1::Atom* atom = manifest_.add_atoms();
    atom->set_id(id);
    atom->set_kind(whole.stateful ? v1::STATEFUL : v1::GROUP);
    v1::Operator* op = atom->add_operators();
    op->set_name("model");
    for (const std::string& input : input_ids_) atom->add_inputs(input);
    for (std::size_t i = 0; i < whole.results.size(); ++i) {
      const at::Tensor& result = whole.results[i];
      TensorInfo info{result.scalar_type(), result.sizes().vec()};
      add_tensor(fmt::format("{}:{}", id, i), info, v1::INTERMEDIATE);
      atom->add_outputs(fmt::format("{}:{}", id, i));
      *op->add_results() = describe_tensor(info);
    }
    std::uint64_t bytes = 0;
    for (const at::Tensor& tensor : module.parameters()) bytes += tensor.nbytes();
    for (const at::Tensor& tensor : module.buffers()) bytes += tensor.nbytes();
    atom->set_weight_bytes(bytes);
    add_record(*atom, "atoms/" + id + ".pt", std::move(whole.record));
    *manifest_.mutable_output() = std::move(whole.output);
  }

  v1::Manifest& manifest() { return manifest_; }
  std::vector<archive::Record>& records() { return records_; }

 private:
  // `text` in the characters ids may have, made different from all in `taken`.
  static std::string unique(std::set<std::string>& taken, const std::string& text) {
    std::string stem;
    for (const char c : text.substr(0, kMaxIdLength)) {
      const bool plain =
          std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '.' || c == '_' || c == '-';
      stem += plain ? c : '_';
    }
    if (stem.empty() || stem[0] == '.' || stem[0] == '-') stem = "_" + stem;
    std::string id = stem;
    for (int i = 2; !taken.insert(id).second; ++i) id = fmt::format("{}-{}", stem, i);
    return id;
  }

  v1::Value input_value(const c10::IValue& argument, const std::string& id,
                        const std::string& where) {
    v1::Value value;
    int part = 0;
    const auto add = [&](v1::Value::Items* items, const c10::IValue& element) {
      *items->add_items() =
          input_value(element, unique(tensor_ids_, fmt::format("{}.{}", id, part)),
                      fmt::format("{}[{}]", where, part));
      ++part;
    };
    if (argument.isTensor()) {
      const at::Tensor tensor = argument.toTensor();
      add_tensor(id, {tensor.scalar_type(), tensor.sizes().vec()}, v1::INPUT);
      input_ids_.push_back(id);
      value.set_tensor(id);
    } else if (argument.isInt()) {
      value.set_int_value(argument.toInt());
    } else if (argument.isDouble()) {
      value.set_float_value(argument.toDouble());
    } else if (argument.isBool()) {
      value.set_bool_value(argument.toBool());
    } else if (argument.isString()) {
      value.set_string_value(argument.toStringRef());
    } else if (argument.isTuple()) {
      for (const auto& element : argument.toTupleRef().elements()) {
        add(value.mutable_tuple(), element);
      }
    } else if (argument.isList()) {
      value.mutable_list();
      for (const c10::IValue& element : argument.toListRef()) add(value.mutable_list(), element);
    } else if (argument.isGenericDict()) {
      value.mutable_dict();
      for (const auto& entry : argument.toGenericDict()) {
        if (!entry.key().isString()) fail("input '{}': dict keys must be strings", where);
        value.mutable_dict()->add_keys(entry.key().toStringRef());
        add(value.mutable_dict(), entry.value());
      }
    } else if (argument.isNone()) {
      value.set_none(true);
    } else {
      fail("input '{}': a {} cannot be an input", where, argument.type()->repr_str());
    }
    return value;
  }

  // Tensors are named by their residual value for now; resolve_output() gives them their ids.
  v1::Value output_value(const Residual& residual, const Item& item,
                         const std::vector<AtomDraft>& drafts) {
    v1::Value value;
    const auto add = [&](v1::Value::Items* items) {
      for (const ItemPtr& element : item.elements) {
        *items->add_items() = output_value(residual, *element, drafts);
      }
    };
    switch (item.kind) {
      case Item::Kind::kTensor:
        if (item.constant) {
          value.set_constant(add_weight(residual, item.residual));
        } else {
          const auto outputs = residual.graph->outputs();
          pending_outputs_.push_back(outputs[pending_outputs_.size()]);
          value.set_tensor("");
        }
        break;
      case Item::Kind::kTuple:
        value.mutable_tuple();
        add(value.mutable_tuple());
        break;
      case Item::Kind::kList:
        value.mutable_list();
        add(value.mutable_list());
        break;
      case Item::Kind::kDict:
        value.mutable_dict();
        for (const c10::IValue& key : item.keys) {
          if (!key.isString()) fail("unsupported output: a dict whose keys are no strings");
          value.mutable_dict()->add_keys(key.toStringRef());
        }
        add(value.mutable_dict());
        break;
      default:
        value = scalar_value(item.value);
    }
    return value;
  }

  static v1::Value scalar_value(const c10::IValue& content) {
    v1::Value value;
    if (content.isInt()) {
      value.set_int_value(content.toInt());
    } else if (content.isDouble()) {
      value.set_float_value(content.toDouble());
    } else if (content.isBool()) {
      value.set_bool_value(content.toBool());
    } else if (content.isString()) {
      value.set_string_value(content.toStringRef());
    } else if (content.isNone()) {
      value.set_none(true);
    } else {
      fail("unsupported output: the model returns a {}", printable(content.type()->repr_str()));
    }
    return value;
  }

  void resolve_output(v1::Value& value) {
    if (value.has_tensor()) value.set_tensor(names_.at(pending_outputs_.at(resolved_outputs_++)));
    const auto resolve = [&](auto* items) {
      for (v1::Value& item : *items->mutable_items()) resolve_output(item);
    };
    if (value.has_tuple()) resolve(value.mutable_tuple());
    if (value.has_list()) resolve(value.mutable_list());
    if (value.has_dict()) resolve(value.mutable_dict());
  }

  v1::Tensor* add_tensor(const std::string& id, const TensorInfo& info, v1::TensorRole role) {
    v1::Tensor* tensor = manifest_.add_tensors();
    tensor->set_id(id);
    *tensor->mutable_type() = describe_tensor(info);
    tensor->set_bytes(info.bytes());
    tensor->set_role(role);
    return tensor;
  }

  template <typename Message>
  void add_record(Message& message, const std::string& name, std::string bytes) {
    message.set_record(name);
    message.set_sha256(sha256_hex(bytes));
    message.set_record_bytes(bytes.size());
    records_.push_back({name, std::move(bytes)});
  }

  // Returns the tensor's id.
  std::string add_weight(const Residual& residual, jit::Value* value) {
    if (const auto known = names_.find(value); known != names_.end()) return known->second;
    for (const Residual::Weight& weight : residual.weights) {
      if (weight.value != value) continue;
      const std::string name = unique(weight_names_, weight.name);
      const at::Tensor tensor = weight.content.toTensor();
      v1::Tensor* entry =
          add_tensor("w:" + name, {tensor.scalar_type(), tensor.sizes().vec()}, v1::WEIGHT);
      add_record(*entry, "weights/" + name + ".pt", weight_record(tensor));
      names_[value] = entry->id();
    }
    return names_.at(value);
  }

  void add_atom(const Residual& residual, const AtomDraft& draft) {
    v1::Atom* atom = manifest_.add_atoms();
    jit::Node* principal = nullptr;
    for (jit::Node* node : draft.operators) {
      if (node->kind() == c10::prim::ListUnpack || node->kind() == c10::prim::TupleUnpack) continue;
      v1::Operator op = describe_operator(node, weights_);
      atom->set_macs(atom->macs() + op.macs());
      const bool first = atom->operators_size() == 0 || op.macs() > atom->operators(0).macs();
      *atom->add_operators() = std::move(op);
      if (!first) continue;
      atom->mutable_operators()->SwapElements(0, atom->operators_size() - 1);
      principal = node;
    }
    if (principal == nullptr) principal = draft.operators.front();
    const std::string path = module_path(principal);
    const std::string op = principal->kind().toUnqualString();
    atom->set_id(unique(atom_ids_, path.empty() ? op : path + "." + op));
    atom->set_kind(kind_of(residual, draft, *atom));
    atom->set_source(source_position(principal));
    for (jit::Node* node : draft.operators) {
      atom->set_nondeterministic(atom->nondeterministic() || node->isNondeterministic());
    }
    for (jit::Value* input : draft.piece.inputs) atom->add_inputs(names_.at(input));
    for (std::size_t i = 0; i < draft.piece.outputs.size(); ++i) {
      jit::Value* output = draft.piece.outputs[i];
      const std::string id = fmt::format("{}:{}", atom->id(), i);
      add_tensor(id, tensor_info(output), v1::INTERMEDIATE);
      names_[output] = id;
      atom->add_outputs(id);
    }
    const std::set<jit::Value*> shared(draft.piece.inputs.begin(), draft.piece.inputs.end());
    for (const Residual::Weight& weight : residual.weights) weight_of_[weight.value] = &weight;
    for (jit::Value* value : draft.weights) {
      const c10::IValue& content = weight_of_.at(value)->content;
      if (shared.count(value) == 0 && content.isTensor()) {
        atom->set_weight_bytes(atom->weight_bytes() + content.toTensor().nbytes());
      }
    }
    add_record(*atom, "atoms/" + atom->id() + ".pt", piece_record(residual, draft.piece));
  }

  static v1::AtomKind kind_of(const Residual& residual, const AtomDraft& draft,
                              const v1::Atom& atom) {
    for (jit::Node* node : draft.operators) {
      if (!node->blocks().empty()) return v1::CONTROL_FLOW;
    }
    if (atom.operators_size() > 1) return v1::GROUP;
    return residual.views.count(draft.operators.front()) != 0 ? v1::VIEW : v1::OPERATOR;
  }

  const SplitOptions& options_;
  v1::Manifest manifest_;
  std::vector<archive::Record> records_;
  std::vector<std::string> input_ids_;
  std::set<std::string> tensor_ids_, atom_ids_, weight_names_;
  std::unordered_set<const jit::Value*> weights_;
  std::unordered_map<const jit::Value*, const Residual::Weight*> weight_of_;
  std::unordered_map<const jit::Value*, std::string> names_;  // tensor ids
  std::vector<jit::Value*> pending_outputs_;
  std::size_t resolved_outputs_ = 0;
};

// Runs the atoms from their records, measures their memory, and compares with the model.
void check(const jit::Module& module, const std::vector<c10::IValue>& arguments,
           const SplitOptions& options, SplitResult& result) {
  v1::Manifest& manifest = result.manifest;
  bool stateful = false;
  for (const v1::Atom& atom : manifest.atoms()) stateful = stateful || atom.kind() == v1::STATEFUL;
  std::unordered_map<std::string, const std::string*> records;
  for (const archive::Record& record : result.records) records[record.name] = &record.bytes;
  AtomExecutor executor(
      manifest, [&](const std::string& name) { return *records.at(name); }, stateful);
  const auto measure = [&](int i, const std::function<void()>& run) {
    v1::Atom* atom = manifest.mutable_atoms(i);
    atom->set_peak_activation_bytes(
        std::max<std::uint64_t>(atom->peak_activation_bytes(), peak_allocated_bytes(run)));
  };
  const at::NoGradGuard no_grad;
  const int runs = stateful && options.verify ? kStatefulRuns : 1;
  for (int i = 0; i < runs; ++i) {
    at::manual_seed(options.seed);
    executor.run(fresh(arguments), measure);
    if (!options.verify) continue;
    at::manual_seed(options.seed);
    const c10::IValue expected = module.get_method(options.method)(fresh(arguments));
    const std::string difference = executor.difference(expected);
    if (!difference.empty()) {
      fail("the atoms do not give what the model gives: {}", difference);
    }
  }
}

SplitResult split_loaded(const LoadedModel& model, const SplitOptions& options) {
  const auto arguments = example_arguments(model.module, options.method, options.inputs,
                                           options.inputs_from, options.seed);
  SplitResult result;
  ManifestWriter writer(model, options);
  writer.add_inputs(model.module, arguments);
  std::optional<Residual> residual;
  try {
    at::manual_seed(options.seed);
    residual = specialise(model.module, options.method, fresh(arguments));
  } catch (const Unsupported& unsupported) {
    result.warnings.push_back(
        fmt::format("kept as one atom, because of {}", printable(unsupported.what(), 300)));
  }
  if (residual) {
    writer.add_atoms(*residual, cut(*residual, kSharedWeightBytes));
  } else {
    writer.add_whole(model.module, fresh(arguments));
  }
  result.manifest = std::move(writer.manifest());
  result.records = std::move(writer.records());
  check(model.module, arguments, options, result);
  return result;
}

}  // namespace

std::string libtorch_version() { return TORCH_VERSION; }

SplitResult split_model(const SplitOptions& options) {
  for (const std::string& library : options.libraries) load_operator_library(library);
  for (const std::string& input : options.inputs) parse_input_spec(input);
  const LoadedModel model = load_model(options.model);
  const std::string name = display_name(options.model);
  // The interpreter as it is: no fusion that could change the last bit.
  jit::setGraphExecutorOptimize(false);
  try {
    return split_loaded(model, options);
  } catch (const Error& error) {
    throw Error(error.kind(), name + ": " + error.what());
  } catch (const std::bad_alloc&) {
    throw;
  } catch (const std::exception& error) {
    fail("{}: {}", name, first_line(error));
  }
}

}  // namespace adamec::torchscript
