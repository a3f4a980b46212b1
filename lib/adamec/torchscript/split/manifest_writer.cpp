#include "adamec/torchscript/split/manifest_writer.h"

#include <algorithm>
#include <atomic>
#include <functional>
#include <future>

#include "adamec/base/error.h"
#include "adamec/base/version.h"
#include "adamec/torchscript/describe/packed.h"
#include "adamec/torchscript/specialise/operator_kinds.h"
#include "adamec/torchscript/split/record_order.h"
#include "adamec/torchscript/split/split.h"
#include "adamec/torchscript/split/whole_model.h"

namespace adamec::torchscript {
namespace {

constexpr std::size_t kMaxIdLength = 120;

// `text` in the characters ids may have, made different from all in `taken`.
std::string unique(std::set<std::string>& taken, const std::string& text) {
  std::string stem;
  for (const char c : text.substr(0, kMaxIdLength)) {
    const bool plain =
        std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '.' || c == '_' || c == '-';
    stem += plain ? c : '_';
  }
  if (stem.empty() || stem[0] == '.' || stem[0] == '-') stem.insert(0, 1, '_');
  std::string id = stem;
  for (int i = 2; !taken.insert(id).second; ++i) id = fmt::format("{}-{}", stem, i);
  return id;
}

// A value without tensors.
v1::Value scalar_value(const c10::IValue& content, const std::string& where) {
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
    fail("unsupported {}: a {}", where, printable(content.type()->repr_str()));
  }
  return value;
}

const std::string& dict_key(const c10::IValue& key, const std::string& where) {
  if (!key.isString()) fail("unsupported {}: a dict whose keys are no strings", where);
  return key.toStringRef();
}

template <typename Message>
void set_record(Message& message, archive::Record& record, const std::string& name,
                std::string bytes) {
  message.set_record(name);
  message.set_record_bytes(bytes.size());
  record = {name, std::move(bytes)};
}

v1::AtomKind kind_of(const Residual& residual, const AtomDraft& draft, const v1::Atom& atom) {
  for (jit::Node* node : draft.operators) {
    if (!node->blocks().empty()) return v1::CONTROL_FLOW;
  }
  if (atom.operators_size() > 1) return v1::GROUP;
  return residual.views.count(draft.operators.front()) != 0 ? v1::VIEW : v1::OPERATOR;
}

}  // namespace

ManifestWriter::ManifestWriter(const LoadedModel& model, const std::string& method,
                               std::function<void(std::size_t, std::size_t)> progress)
    : progress_(std::move(progress)) {
  manifest_.set_format_version(archive::kArchiveFormatVersion);
  manifest_.set_model_name(model.name);
  manifest_.set_model_sha256(model.sha256);
  manifest_.set_model_bytes(model.bytes);
  manifest_.set_adamec_version(version());
  manifest_.set_libtorch_version(libtorch_version());
  manifest_.set_method(method);
}

void ManifestWriter::add_inputs(const jit::Module& module,
                                const std::vector<c10::IValue>& arguments,
                                const std::vector<OpenSize>& open_sizes) {
  const auto& schema = module.get_method(manifest_.method()).function().getSchema();
  for (std::size_t i = 0; i < arguments.size(); ++i) {
    v1::Input* input = manifest_.add_inputs();
    input->set_name(schema.arguments()[i + 1].name());
    *input->mutable_value() =
        input_value(arguments[i], unique(tensor_ids_, input->name()), input->name());
    for (const OpenSize& size : open_sizes) {
      if (size.argument != i) continue;
      v1::OpenSize* open =
          manifest_.mutable_tensors(manifest_.tensors_size() - 1)->add_open_sizes();
      open->set_dimension(static_cast<std::uint32_t>(size.dimension));
      open->set_name(size.name);
    }
  }
}

void ManifestWriter::add_atoms(const Residual& residual, const std::vector<AtomDraft>& drafts) {
  for (std::size_t i = 0; i < residual.inputs.size(); ++i) {
    names_[residual.inputs[i]] = input_ids_.at(i);
  }
  for (const Residual::Weight& weight : residual.weights) weights_[weight.value] = weight.content;
  add_states(residual);
  for (const AtomDraft& draft : drafts) {
    for (jit::Value* input : draft.subgraph.inputs) {
      if (weights_.count(input) != 0) add_weight(residual, input);
    }
  }
  for (const AtomDraft& draft : drafts) add_atom(residual, draft);
  *manifest_.mutable_output() = output_value(residual, *residual.output);
  finish_states(residual);
  for (v1::Atom& atom : *manifest_.mutable_atoms()) {
    atom.set_record(fmt::format("atoms/{}.pt", atom.id()));
    records_.push_back({atom.record(), ""});
  }
}

void ManifestWriter::add_whole(const jit::Module& module, const c10::IValue& returned,
                               bool stateful) {
  const std::string id = unique(atom_ids_, "model");
  WholeModel whole = keep_whole(module, manifest_.method(), manifest_, returned, id);
  v1::Atom* atom = manifest_.add_atoms();
  atom->set_id(id);
  atom->set_kind(stateful ? v1::STATEFUL : v1::GROUP);
  v1::Operator* op = atom->add_operators();
  op->set_name("model");
  for (const std::string& input : input_ids_) atom->add_inputs(input);
  for (std::size_t i = 0; i < whole.results.size(); ++i) {
    const TensorInfo info = tensor_info(whole.results[i]);
    const std::string output = fmt::format("{}:{}", id, i);
    add_tensor(output, info, v1::INTERMEDIATE);
    atom->add_outputs(output);
    *op->add_results() = describe_tensor(info);
  }
  atom->set_weight_bytes(whole.record.size());
  set_record(*atom, records_.emplace_back(), fmt::format("atoms/{}.pt", id),
             std::move(whole.record));
  *manifest_.mutable_output() = std::move(whole.output);
}

v1::Value ManifestWriter::input_value(const c10::IValue& argument, const std::string& id,
                                      const std::string& where) {
  v1::Value value;
  const auto add = [&](v1::Value::Items* items, const c10::IValue& element) {
    const std::string part = std::to_string(items->items_size());
    *items->add_items() = input_value(element, unique(tensor_ids_, fmt::format("{}.{}", id, part)),
                                      fmt::format("{}[{}]", where, part));
  };
  if (argument.isTensor()) {
    const at::Tensor tensor = argument.toTensor();
    add_tensor(id, tensor_info(tensor), v1::INPUT);
    input_ids_.push_back(id);
    value.set_tensor(id);
  } else if (argument.isTuple()) {
    value.mutable_tuple();
    for (const auto& element : argument.toTupleRef().elements()) {
      add(value.mutable_tuple(), element);
    }
  } else if (argument.isList()) {
    value.mutable_list();
    for (const c10::IValue& element : argument.toListRef()) add(value.mutable_list(), element);
  } else if (argument.isGenericDict()) {
    value.mutable_dict();
    for (const auto& entry : argument.toGenericDict()) {
      value.mutable_dict()->add_keys(dict_key(entry.key(), "input '" + where + "'"));
      add(value.mutable_dict(), entry.value());
    }
  } else {
    value = scalar_value(argument, "input '" + where + "'");
  }
  return value;
}

v1::Value ManifestWriter::output_value(const Residual& residual, const KnownValue& item) {
  v1::Value value;
  const auto add_all = [&](v1::Value::Items* items) {
    for (const KnownValuePtr& element : item.elements) {
      *items->add_items() = output_value(residual, *element);
    }
  };
  switch (item.kind) {
    case KnownValue::Kind::kTensor:
      if (item.constant) {
        value.set_constant(add_weight(residual, item.residual));
      } else {
        value.set_tensor(names_.at(residual.graph->outputs()[next_output_++]));
      }
      break;
    case KnownValue::Kind::kOpaque:
      value.set_number(names_.at(residual.graph->outputs()[next_output_++]));
      break;
    case KnownValue::Kind::kTuple:
      add_all(value.mutable_tuple());
      break;
    case KnownValue::Kind::kList:
      add_all(value.mutable_list());
      break;
    case KnownValue::Kind::kDict:
      for (const c10::IValue& key : item.keys) {
        value.mutable_dict()->add_keys(dict_key(key, "output"));
      }
      add_all(value.mutable_dict());
      break;
    default:
      value = scalar_value(item.value, "output");
  }
  return value;
}

void ManifestWriter::add_tensor(const std::string& id, const TensorInfo& info,
                                v1::TensorRole role) {
  v1::Tensor* tensor = manifest_.add_tensors();
  tensor->set_id(id);
  *tensor->mutable_type() = describe_tensor(info);
  tensor->set_bytes(info.bytes());
  tensor->set_role(role);
}

void ManifestWriter::make_records(Residual& residual, const std::vector<AtomDraft>& drafts,
                                  const std::function<void(std::size_t)>& complete) {
  WeightUses uses(residual, drafts);
  const std::size_t first = records_.size() - drafts.size();
  for (std::size_t i = 0; complete && i < first; ++i) complete(i);
  const std::vector<std::size_t> order = largest_first(residual, drafts);
  std::atomic<std::size_t> next = 0;
  const auto work = [&](bool report) {
    for (std::size_t done; (done = next++) < order.size();) {
      const std::size_t i = order[done];
      v1::Atom& atom = *manifest_.mutable_atoms(static_cast<int>(i));
      archive::Record& record = records_[first + i];
      record.bytes = subgraph_record(residual, drafts[i].subgraph);
      atom.set_record_bytes(record.bytes.size());
      atom.set_weight_bytes(weight_bytes(residual, drafts[i], record));
      for (jit::Value* value : uses.finished(drafts[i])) {
        residual.weight_of(value).content = c10::IValue();
        weights_.at(value) = c10::IValue();
      }
      if (complete) complete(first + i);
      if (report && progress_) progress_(done + 1, drafts.size());
    }
  };
  std::future<void> beside = std::async(std::launch::async, work, false);
  work(true);
  beside.get();
}

std::string ManifestWriter::add_weight(const Residual& residual, jit::Value* value) {
  if (const auto known = names_.find(value); known != names_.end()) return known->second;
  const Residual::Weight& weight = residual.weight_of(value);
  const std::string name = unique(weight_names_, weight.name);
  const at::Tensor tensor = weight.content.toTensor();
  add_tensor(fmt::format("w:{}", name), tensor_info(tensor), v1::WEIGHT);
  v1::Tensor& entry = *manifest_.mutable_tensors(manifest_.tensors_size() - 1);
  set_record(entry, records_.emplace_back(), fmt::format("weights/{}.pt", name),
             weight_record(tensor, residual.weights_require_grad && weight.requires_grad));
  return names_[value] = entry.id();
}

void ManifestWriter::add_states(const Residual& residual) {
  for (const Residual::State& state : residual.states) {
    const std::string name = unique(weight_names_, state.name);
    const std::string id = names_[state.value] = fmt::format("s:{}", name);
    add_tensor(id, tensor_info(state.initial), v1::STATE);
    v1::Tensor& entry = *manifest_.mutable_tensors(manifest_.tensors_size() - 1);
    set_record(entry, records_.emplace_back(), fmt::format("weights/{}.pt", name),
               weight_record(state.initial));
  }
}

// What state is in the next run, and which atoms read or make it.
void ManifestWriter::finish_states(const Residual& residual) {
  std::set<std::string> before;
  std::set<std::string> after;
  for (const Residual::State& state : residual.states) {
    const std::string& id = names_.at(state.value);
    jit::Value* next = residual.graph->outputs()[state.next];
    const std::string next_id =
        weights_.count(next) != 0 ? add_weight(residual, next) : names_.at(next);
    for (v1::Tensor& tensor : *manifest_.mutable_tensors()) {
      if (tensor.id() == id) tensor.set_next(next_id);
    }
    before.insert(id);
    after.insert(next_id);
  }
  for (v1::Atom& atom : *manifest_.mutable_atoms()) {
    const auto any = [](const auto& tensors, const std::set<std::string>& of) {
      return std::any_of(tensors.begin(), tensors.end(),
                         [&](const std::string& tensor) { return of.count(tensor) != 0; });
    };
    atom.set_stateful(any(atom.inputs(), before) || any(atom.outputs(), after));
  }
}

jit::Node* ManifestWriter::add_operators(const AtomDraft& draft, v1::Atom& atom) const {
  jit::Node* principal = draft.operators.front();
  for (jit::Node* node : draft.operators) {
    if (node->kind() == c10::prim::ListUnpack || node->kind() == c10::prim::TupleUnpack) continue;
    v1::Operator op = describe_operator(node, weights_);
    atom.set_macs(atom.macs() + op.macs());
    atom.set_nondeterministic(atom.nondeterministic() || is_random(node));
    const bool first = atom.operators_size() == 0 || op.macs() > atom.operators(0).macs();
    *atom.add_operators() = std::move(op);
    if (!first) continue;
    atom.mutable_operators()->SwapElements(0, atom.operators_size() - 1);
    principal = node;
  }
  return principal;
}

// Bytes of the weights inside the atom's record; that of an object nothing is known of tells it.
std::uint64_t ManifestWriter::weight_bytes(const Residual& residual, const AtomDraft& draft,
                                           const archive::Record& record) const {
  const std::set<jit::Value*> shared(draft.subgraph.inputs.begin(), draft.subgraph.inputs.end());
  std::uint64_t bytes = 0;
  for (jit::Value* value : draft.weights) {
    const c10::IValue& content = residual.weight_of(value).content;
    if (is_packed(content)) {
      for (const at::Tensor& tensor : unpack(content).tensors) bytes += tensor.nbytes();
      continue;
    }
    if (!content.isTensor()) return record.bytes.size();
    if (shared.count(value) == 0) bytes += content.toTensor().nbytes();
  }
  return bytes;
}

void ManifestWriter::add_atom(const Residual& residual, const AtomDraft& draft) {
  v1::Atom* atom = manifest_.add_atoms();
  jit::Node* principal = add_operators(draft, *atom);
  const std::string path = module_path(principal);
  const std::string op = principal->kind().toUnqualString();
  atom->set_id(unique(atom_ids_, path.empty() ? op : fmt::format("{}.{}", path, op)));
  atom->set_kind(kind_of(residual, draft, *atom));
  atom->set_source(source_position(principal));
  for (jit::Value* input : draft.subgraph.inputs) atom->add_inputs(names_.at(input));
  for (std::size_t i = 0; i < draft.subgraph.outputs.size(); ++i) {
    const std::string id = fmt::format("{}:{}", atom->id(), i);
    add_tensor(id, tensor_info(draft.subgraph.outputs[i]), v1::INTERMEDIATE);
    names_[draft.subgraph.outputs[i]] = id;
    atom->add_outputs(id);
  }
}

}  // namespace adamec::torchscript
