#include "adamec/torchscript/split/reference_runs.h"

#include <utility>

#include "adamec/torchscript/run/copy.h"
#include "adamec/torchscript/run/reproducible.h"

namespace adamec::torchscript {
namespace {

// Runs of a stateful model that are compared.
constexpr int kStatefulRuns = 5;
// Sets of open sizes, beside the example's, that are verified.
constexpr int kVerifiedSizes = 3;

}  // namespace

std::vector<std::vector<c10::IValue>> Arguments::others(int count) const {
  std::vector<std::vector<c10::IValue>> result;
  for (int i = 0; i < count && !open_sizes.empty(); ++i) {
    result.push_back(with_other_sizes(example, open_sizes, i + 1));
  }
  return result;
}

c10::IValue run_model(const jit::Module& module, const SplitOptions& options,
                      const std::vector<c10::IValue>& arguments) {
  const at::NoGradGuard no_grad;
  seed_random_numbers(options.seed);
  return module.get_method(options.method)(copy_of(arguments));
}

std::vector<ReferenceRun> reference_runs(const jit::Module& module, const Arguments& arguments,
                                         const SplitOptions& options, bool keeps_state) {
  std::vector<ReferenceRun> runs{{arguments.example, {}}};
  if (!options.verify) return runs;
  if (keeps_state) runs.resize(kStatefulRuns, runs[0]);
  for (auto& other : arguments.others(kVerifiedSizes)) runs.push_back({std::move(other), {}});
  for (ReferenceRun& run : runs) {
    run.expected = run_model(module, options, run.arguments);
    // What it returns may be part of its state, which the next run writes to.
    if (runs.size() > 1) run.expected = copy_of(run.expected);
  }
  return runs;
}

}  // namespace adamec::torchscript
