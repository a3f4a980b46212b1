#include "adamec/torchscript/split/split.h"

#include <optional>
#include <utility>

#include "adamec/archive/record_pipeline.h"
#include "adamec/base/error.h"
#include "adamec/base/file.h"
#include "adamec/torchscript/cut/cut.h"
#include "adamec/torchscript/input_spec/input_spec.h"
#include "adamec/torchscript/load/arguments.h"
#include "adamec/torchscript/load/load.h"
#include "adamec/torchscript/load/open_sizes.h"
#include "adamec/torchscript/run/compat.h"
#include "adamec/torchscript/run/copy.h"
#include "adamec/torchscript/run/execute.h"
#include "adamec/torchscript/run/message.h"
#include "adamec/torchscript/run/reproducible.h"
#include "adamec/torchscript/specialise/specialise.h"
#include "adamec/torchscript/split/complete.h"
#include "adamec/torchscript/split/manifest_writer.h"
#include "adamec/torchscript/split/reference_runs.h"
#include "adamec/torchscript/split/verify.h"

namespace adamec::torchscript {
namespace {

// Weights that several atoms read and that are smaller than this are copied into each of them.
constexpr std::uint64_t kSharedWeightBytes = 1024;
// Sets of open sizes, beside the example's, that are compared to find out what depends on them.
constexpr int kComparedSizes = 2;

// How the model is split, by what earlier attempts have taught.
struct Attempt {
  enum class Way {
    kCut,
    // Models may make parts of themselves in their first run, of types that state cannot have, and
    // never touch them again: after that run they keep no state.
    kCutAfterFirstRun,
    kWhole,  // one atom
  };
  Way way = Way::kCut;
  bool weights_require_grad = false;  // as in the model (Residual::weights_require_grad)
  bool keeps_state = false;           // that cannot be taken apart
  std::string reason;                 // why the model cannot be cut as it is
};

// What an attempt that failed teaches for the next one. False: there is no other way to try.
bool learn(const Unsupported& unsupported, Attempt& attempt) {
  using Way = Attempt::Way;
  if (attempt.way == Way::kWhole) return false;
  if (attempt.way == Way::kCutAfterFirstRun) {
    attempt.way = Way::kWhole;
    return true;
  }
  attempt = {unsupported.keeps_state ? Way::kCutAfterFirstRun : Way::kWhole,
             /*weights_require_grad=*/false, unsupported.keeps_state, unsupported.what()};
  return true;
}

bool learn(const BrokenAtom& broken, Attempt& attempt) {
  return learn(Unsupported(broken.what(), /*state=*/attempt.keeps_state), attempt);
}

// LibTorch 2.x multiplies matrices otherwise where weights require gradients. After a first run:
// that gave something that later ones do not.
bool learn(const Differs&, Attempt& attempt) {
  if (attempt.way == Attempt::Way::kCutAfterFirstRun) {
    attempt.way = Attempt::Way::kWhole;
    return true;
  }
  if (attempt.way == Attempt::Way::kWhole || attempt.weights_require_grad) return false;
  attempt.weights_require_grad = true;
  return true;
}

// Step of kCutAfterFirstRun: what the model's first run gives.
c10::IValue run_first(const jit::Module& module, const Arguments& arguments,
                      const SplitOptions& options) {
  // Before it runs: what LibTorch makes of its functions the first time it keeps.
  inline_calls(*module.get_method(options.method).graph()->copy());
  return copy_of(run_model(module, options, arguments.example));
}

Residual specialise_model(const jit::Module& module, const Arguments& arguments,
                          const SplitOptions& options, const Attempt& attempt) {
  seed_random_numbers(options.seed);
  Residual residual =
      specialise(module, options.method, arguments.example, arguments.others(kComparedSizes));
  if (attempt.way == Attempt::Way::kCutAfterFirstRun && !residual.states.empty()) {
    throw Unsupported("state beside what the first run makes", /*state=*/true);
  }
  residual.weights_require_grad = attempt.weights_require_grad;
  return residual;
}

// Lets go of the module as soon as it is not needed: its weights are then only in memory until they
// are in their records.
SplitResult cut_model(LoadedModel& model, const Arguments& arguments, const SplitOptions& options,
                      const Attempt& attempt) {
  std::optional<c10::IValue> first;
  if (attempt.way == Attempt::Way::kCutAfterFirstRun) {
    first = run_first(model.module, arguments, options);
  }
  SplitResult result;
  std::vector<ReferenceRun> runs;
  ManifestWriter writer(model, options.method, options.progress);
  archive::RecordPipeline pipeline(atoms_writer(options));  // of records that writer has at first
  {
    Residual residual = specialise_model(model.module, arguments, options, attempt);
    writer.add_inputs(model.module, arguments.example, arguments.open_sizes);
    const std::vector<AtomDraft> drafts = cut(residual, kSharedWeightBytes);
    runs = reference_runs(model.module, arguments, options, !residual.states.empty());
    model.module = jit::Module();
    writer.add_atoms(residual, drafts);
    pipeline.start(writer.records(), most_manifest_bytes(writer.manifest()));
    writer.make_records(residual, drafts, [&](std::size_t record) { pipeline.complete(record); });
    result = {writer.take_manifest(), writer.take_records(), {}};
  }
  if (first && options.verify) runs.push_back({arguments.example, *std::move(first)});
  complete(runs, options, result, pipeline);
  return result;
}

// `file`: what `model` was loaded from. A run may change the model, so what is written down is
// loaded anew.
SplitResult keep_model_whole(LoadedModel& model, ModelFile& file, const Arguments& arguments,
                             const SplitOptions& options, const Attempt& attempt) {
  ManifestWriter writer(model, options.method, options.progress);
  writer.add_inputs(model.module, arguments.example, arguments.open_sizes);
  const c10::IValue returned = run_model(model.module, options, arguments.example);
  model = LoadedModel();  // first: its weights need not be in memory twice
  model = file.load();
  file.forget();
  writer.add_whole(model.module, returned, attempt.keeps_state);
  SplitResult result{writer.take_manifest(),
                     writer.take_records(),
                     {"kept as one atom, because of " + printable(attempt.reason, 300) +
                      "; the atom is exact, but to have the model cut, change that line of it"}};
  const bool remembers = has_stateful_atoms(result.manifest) || has_state(result.manifest);
  archive::RecordPipeline pipeline(atoms_writer(options));
  pipeline.start(result.records, most_manifest_bytes(result.manifest));
  pipeline.complete_all();
  complete(reference_runs(model.module, arguments, options, remembers), options, result, pipeline);
  return result;
}

// Attempts to split the model until one succeeds or nothing is left to try. Each starts from the
// model as its file has it, as `model` is at first, since runs may change a model. `model` is the
// only one that holds its weights: modules are copied, never moved. (A deep copy by LibTorch
// would not do: it takes two views of one memory for one tensor.)
SplitResult split_file(ModelFile& file, LoadedModel& model, const SplitOptions& options) {
  Arguments arguments;
  arguments.example = example_arguments(model.module, options.method, options.inputs,
                                        options.inputs_from, options.seed);
  arguments.open_sizes =
      parse_open_sizes(options.dynamic, model.module, options.method, arguments.example);
  for (Attempt attempt;;) {
    try {
      return attempt.way == Attempt::Way::kWhole
                 ? keep_model_whole(model, file, arguments, options, attempt)
                 : cut_model(model, arguments, options, attempt);
    } catch (const Differs& differs) {
      if (!learn(differs, attempt)) throw;
    } catch (const BrokenAtom& broken) {
      if (!learn(broken, attempt)) throw;
    } catch (const Unsupported& unsupported) {
      if (!learn(unsupported, attempt)) throw;
    }
    model = LoadedModel();
    model = file.load();
  }
}

}  // namespace

std::string libtorch_version() { return TORCH_VERSION; }

SplitResult split_model(const SplitOptions& options) {
  for (const std::string& library : options.libraries) load_operator_library(library);
  for (const std::string& input : options.inputs) parse_input_spec(input);
  const std::string name = display_name(options.model);
  ModelFile file(options.model);
  LoadedModel model = file.load();
  // Warnings of models and of LibTorch are for the models' authors.
  const std::shared_ptr<void> silence = silence_warnings();
  const ReproducibleRuns reproducible;
  try {
    return split_file(file, model, options);
  } catch (const Error& error) {
    throw Error(error.kind(), name + ": " + error.what());
  } catch (const std::bad_alloc&) {
    throw;
  } catch (const std::exception& error) {
    fail("{}: {}", name, reason_of(error));
  }
}

}  // namespace adamec::torchscript
