#include "adamec/torchscript/split/split.h"

#include <algorithm>
#include <filesystem>
#include <limits>
#include <optional>

#include "adamec/archive/record_pipeline.h"
#include "adamec/base/error.h"
#include "adamec/base/file.h"
#include "adamec/base/sha256.h"
#include "adamec/proto/tensor_type.h"
#include "adamec/torchscript/cut/cut.h"
#include "adamec/torchscript/describe/observed_macs.h"
#include "adamec/torchscript/describe/subnormals.h"
#include "adamec/torchscript/input_spec/input_spec.h"
#include "adamec/torchscript/load/arguments.h"
#include "adamec/torchscript/load/load.h"
#include "adamec/torchscript/load/open_sizes.h"
#include "adamec/torchscript/run/compat.h"
#include "adamec/torchscript/run/execute.h"
#include "adamec/torchscript/run/libtorch.h"
#include "adamec/torchscript/run/message.h"
#include "adamec/torchscript/run/tensor_info.h"
#include "adamec/torchscript/specialise/specialise.h"
#include "adamec/torchscript/split/manifest_writer.h"
#include "adamec/torchscript/split/merge.h"

namespace adamec::torchscript {
namespace {

// Weights that several atoms read and that are smaller than this are copied into each of them.
constexpr std::uint64_t kSharedWeightBytes = 1024;
// Runs of a stateful model that are compared.
constexpr int kStatefulRuns = 5;
// Sets of open sizes, beside the example's: those that are compared to find out what depends on
// them, and those that are verified.
constexpr int kComparedSizes = 2;
constexpr int kVerifiedSizes = 3;

// The arguments of a model: an example, and the same with other sizes where these are open.
struct Arguments {
  std::vector<c10::IValue> example;
  std::vector<OpenSize> open_sizes;

  std::vector<std::vector<c10::IValue>> others(int count) const {
    std::vector<std::vector<c10::IValue>> result;
    for (int i = 0; i < count && !open_sizes.empty(); ++i) {
      result.push_back(with_other_sizes(example, open_sizes, i + 1));
    }
    return result;
  }
};

bool keeps_state(const v1::Manifest& manifest, bool inside_an_atom) {
  return std::any_of(manifest.atoms().begin(), manifest.atoms().end(),
                     [](const v1::Atom& atom) { return atom.kind() == v1::STATEFUL; }) ||
         (!inside_an_atom &&
          std::any_of(manifest.tensors().begin(), manifest.tensors().end(),
                      [](const v1::Tensor& tensor) { return tensor.role() == v1::STATE; }));
}

// Runs the atom. Where shapes do not tell its multiply-accumulates, what ran does.
void run_and_count(v1::Atom& atom, const std::function<void()>& run) {
  const bool plain = atom.kind() == v1::OPERATOR || atom.kind() == v1::VIEW;
  if (plain && atom.macs() > 0) return run();
  const std::uint64_t macs = observed_macs(run);
  if (macs <= atom.macs()) return;
  atom.set_macs(macs);
  if (atom.operators_size() == 1) atom.mutable_operators(0)->set_macs(macs);
}

// The atoms give something else than the model.
struct Differs : Error {
  using Error::Error;
};

// One run of the model: what it is given, and what it returns when it is run for comparison.
struct Run {
  std::vector<c10::IValue> arguments;
  c10::IValue expected;
};

// The runs that the atoms are checked by; the model itself is run now.
std::vector<Run> run_model(const jit::Module& module, const Arguments& arguments,
                           const SplitOptions& options, bool stateful) {
  std::vector<Run> runs{{arguments.example, {}}};
  if (!options.verify) return runs;
  if (stateful) runs.resize(kStatefulRuns, runs[0]);
  for (auto& other : arguments.others(kVerifiedSizes)) runs.push_back({std::move(other), {}});
  const at::NoGradGuard no_grad;
  for (Run& run : runs) {
    at::manual_seed(options.seed);
    run.expected = module.get_method(options.method)(copy_of(run.arguments));
    // What it returns may be part of its state, which the next run writes to.
    if (runs.size() > 1) run.expected = run.expected.deepcopy();
  }
  return runs;
}

// Runs the atoms from their records, measures their memory, and compares with the model.
void check(const std::vector<Run>& runs, const SplitOptions& options, SplitResult& result) {
  v1::Manifest& manifest = result.manifest;
  std::unordered_map<std::string, const std::string*> records;
  for (const archive::Record& record : result.records) records[record.name] = &record.bytes;
  AtomExecutor executor(
      manifest, [&](const std::string& name) -> std::string_view { return *records.at(name); },
      keeps_state(manifest, /*inside_an_atom=*/true));
  const auto measure = [&](int i, const std::function<void()>& run) {
    v1::Atom* atom = manifest.mutable_atoms(i);
    const std::uint64_t peak = peak_allocated_bytes([&] { run_and_count(*atom, run); });
    atom->set_peak_activation_bytes(std::max<std::uint64_t>(atom->peak_activation_bytes(), peak));
  };
  Subnormals subnormals;
  const auto look = [&](const std::string& id, const at::Tensor& tensor) {
    const std::uint32_t permille = subnormal_permille(tensor);
    if (permille > 0) subnormals[id] = permille;
  };
  for (const Run& run : runs) {
    const bool example = &run == &runs.front();
    at::manual_seed(options.seed);
    executor.run(copy_of(run.arguments), measure, example ? look : AtomExecutor::OnTensor());
    if (!options.verify) continue;
    const std::string difference = executor.difference(run.expected);
    if (!difference.empty()) {
      throw Differs(ErrorKind::kFailed,
                    "the atoms do not give what the model gives: " + difference);
    }
  }
  set_subnormals(subnormals, manifest);
}

// `hashes`: SHA-256 of the records, in their order.
void set_hashes(const std::vector<std::string>& hashes, SplitResult& result) {
  std::unordered_map<std::string, std::string> by_record;
  for (std::size_t i = 0; i < hashes.size(); ++i) by_record[result.records[i].name] = hashes[i];
  for (v1::Atom& atom : *result.manifest.mutable_atoms()) {
    atom.set_sha256(by_record.at(atom.record()));
  }
  for (v1::Tensor& tensor : *result.manifest.mutable_tensors()) {
    if (!tensor.record().empty()) tensor.set_sha256(by_record.at(tensor.record()));
  }
}

// What the manifest may take when the records, their hashes and the check have completed it.
std::uint64_t most_manifest_bytes(v1::Manifest manifest) {
  constexpr auto kMost = std::numeric_limits<std::uint64_t>::max();
  const std::string hash = sha256_hex("");
  for (v1::Atom& atom : *manifest.mutable_atoms()) {
    atom.set_sha256(hash);
    atom.set_record_bytes(kMost);
    atom.set_weight_bytes(kMost);
    atom.set_peak_activation_bytes(kMost);
    atom.set_macs(kMost);
    for (v1::Operator& op : *atom.mutable_operators()) {
      op.set_macs(kMost);
      for (v1::Argument& argument : *op.mutable_arguments()) {
        for (v1::TensorType& type : *argument.mutable_tensors()) type.set_subnormal_permille(1000);
      }
    }
  }
  for (v1::Tensor& tensor : *manifest.mutable_tensors()) {
    tensor.mutable_type()->set_subnormal_permille(1000);
    if (!tensor.record().empty()) tensor.set_sha256(hash);
  }
  return archive::manifest_bytes(manifest);
}

// Completes the records that a pipeline was started with, or all blocks that they are merged into.
void finish(const std::vector<Run>& runs, const SplitOptions& options, SplitResult& result,
            archive::RecordPipeline& pipeline) {
  if (options.granularity != Granularity::kBlock) {
    check(runs, options, result);
    return set_hashes(pipeline.finish(), result);
  }
  set_hashes(pipeline.finish(), result);
  result = merge_into_lossless_blocks(std::move(result));
  archive::RecordPipeline blocks(options.writer);
  blocks.start(result.records, most_manifest_bytes(result.manifest));
  blocks.complete_all();
  check(runs, options, result);
  set_hashes(blocks.finish(), result);
}

// Where the atoms' records go: blocks are written later.
archive::Writer* atoms_writer(const SplitOptions& options) {
  return options.granularity == Granularity::kBlock ? nullptr : options.writer;
}

// A model on disk can be loaded again should it be needed. Otherwise its weights would be in memory
// twice, and once more in the records.
bool can_load_again(const SplitOptions& options) {
  return std::filesystem::is_regular_file(options.model);
}

// `first`: the model has run once, and gave this.
SplitResult cut_model(LoadedModel& model, const Arguments& arguments, const SplitOptions& options,
                      const c10::IValue* first = nullptr, bool weights_require_grad = false) {
  SplitResult result;
  std::vector<Run> runs;
  ManifestWriter writer(model, options.method, options.progress);
  archive::RecordPipeline pipeline(atoms_writer(options));  // of records that writer has at first
  {
    at::manual_seed(options.seed);
    Residual residual = specialise(model.module, options.method, arguments.example,
                                   arguments.others(kComparedSizes));
    if (first != nullptr && !residual.states.empty()) {
      throw Unsupported("state beside what the first run makes", /*state=*/true);
    }
    residual.weights_require_grad = weights_require_grad;
    writer.add_inputs(model.module, arguments.example, arguments.open_sizes);
    const std::vector<AtomDraft> drafts = cut(residual, kSharedWeightBytes);
    runs = run_model(model.module, arguments, options, !residual.states.empty());
    if (can_load_again(options)) model.module = jit::Module();
    writer.add_atoms(residual, drafts);
    pipeline.start(writer.records(), most_manifest_bytes(writer.manifest()));
    writer.make_records(residual, drafts, [&](std::size_t record) { pipeline.complete(record); });
    result = {writer.take_manifest(), writer.take_records(), {}};
  }
  if (first != nullptr && options.verify) runs.push_back({arguments.example, *first});
  finish(runs, options, result, pipeline);
  return result;
}

SplitResult keep_model_whole(const LoadedModel& model, const Arguments& arguments,
                             const SplitOptions& options, bool stateful,
                             const std::string& reason) {
  ManifestWriter writer(model, options.method, options.progress);
  writer.add_inputs(model.module, arguments.example, arguments.open_sizes);
  writer.add_whole(model.module, copy_of(arguments.example), stateful);
  SplitResult result{writer.take_manifest(),
                     writer.take_records(),
                     {"kept as one atom, because of " + printable(reason, 300) +
                      "; the atom is exact, but to have the model cut, change that line of it"}};
  const bool remembers = keeps_state(result.manifest, /*inside_an_atom=*/false);
  archive::RecordPipeline pipeline(atoms_writer(options));
  pipeline.start(result.records, most_manifest_bytes(result.manifest));
  pipeline.complete_all();
  finish(run_model(model.module, arguments, options, remembers), options, result, pipeline);
  return result;
}

// Models may make parts of themselves in their first run, of types that state cannot have, and
// never touch them again: after that run they keep no state.
std::optional<SplitResult> cut_after_first_run(LoadedModel& model, const Arguments& arguments,
                                               const SplitOptions& options) {
  if (!can_load_again(options)) return std::nullopt;
  model = load_model(options.model);
  try {
    // Before it runs: what LibTorch makes of its functions the first time it keeps.
    inline_calls(*model.module.get_method(options.method).graph()->copy());
    c10::IValue first;
    {
      const at::NoGradGuard no_grad;
      at::manual_seed(options.seed);
      first = model.module.get_method(options.method)(copy_of(arguments.example)).deepcopy();
    }
    return cut_model(model, arguments, options, &first);
  } catch (const Unsupported&) {
    return std::nullopt;
  } catch (const Differs&) {  // the first run gave something that later ones do not
    return std::nullopt;
  } catch (const BrokenAtom&) {
    return std::nullopt;
  }
}

SplitResult split_loaded(LoadedModel& model, const SplitOptions& options) {
  Arguments arguments;
  arguments.example = example_arguments(model.module, options.method, options.inputs,
                                        options.inputs_from, options.seed);
  arguments.open_sizes =
      parse_open_sizes(options.dynamic, model.module, options.method, arguments.example);
  try {
    try {
      return cut_model(model, arguments, options);
    } catch (const Differs&) {
      if (!can_load_again(options)) throw;
      model = load_model(options.model);
      return cut_model(model, arguments, options, nullptr, /*weights_require_grad=*/true);
    }
  } catch (const Unsupported& unsupported) {
    if (unsupported.keeps_state) {
      if (auto result = cut_after_first_run(model, arguments, options)) return *std::move(result);
    }
    if (can_load_again(options)) model = load_model(options.model);
    return keep_model_whole(model, arguments, options, unsupported.keeps_state, unsupported.what());
  } catch (const BrokenAtom& broken) {
    if (can_load_again(options)) model = load_model(options.model);
    return keep_model_whole(model, arguments, options, false, broken.what());
  }
}

}  // namespace

std::string libtorch_version() { return TORCH_VERSION; }

SplitResult split_model(const SplitOptions& options) {
  for (const std::string& library : options.libraries) load_operator_library(library);
  for (const std::string& input : options.inputs) parse_input_spec(input);
  LoadedModel model = load_model(options.model);
  const std::string name = display_name(options.model);
  // Warnings of models and of LibTorch are for the models' authors.
  const std::shared_ptr<void> silence = silence_warnings();
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
