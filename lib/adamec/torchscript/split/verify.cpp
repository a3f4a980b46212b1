#include "adamec/torchscript/split/verify.h"

#include <algorithm>
#include <functional>
#include <unordered_map>

#include "adamec/torchscript/describe/observed_macs.h"
#include "adamec/torchscript/describe/subnormals.h"
#include "adamec/torchscript/run/compat.h"
#include "adamec/torchscript/run/copy.h"
#include "adamec/torchscript/run/execute.h"
#include "adamec/torchscript/run/reproducible.h"

namespace adamec::torchscript {
namespace {

// Runs the atom. Where shapes do not tell its multiply-accumulates, what ran does.
void run_and_count(v1::Atom& atom, const std::function<void()>& run) {
  const bool plain = atom.kind() == v1::OPERATOR || atom.kind() == v1::VIEW;
  if (plain && atom.macs() > 0) return run();
  const std::uint64_t macs = observed_macs(run);
  if (macs <= atom.macs()) return;
  atom.set_macs(macs);
  if (atom.operators_size() == 1) atom.mutable_operators(0)->set_macs(macs);
}

}  // namespace

bool has_stateful_atoms(const v1::Manifest& manifest) {
  return std::any_of(manifest.atoms().begin(), manifest.atoms().end(),
                     [](const v1::Atom& atom) { return atom.kind() == v1::STATEFUL; });
}

bool has_state(const v1::Manifest& manifest) {
  return std::any_of(manifest.tensors().begin(), manifest.tensors().end(),
                     [](const v1::Tensor& tensor) { return tensor.role() == v1::STATE; });
}

void verify(const std::vector<ReferenceRun>& runs, const SplitOptions& options,
            SplitResult& result) {
  v1::Manifest& manifest = result.manifest;
  std::unordered_map<std::string, const std::string*> records;
  for (const archive::Record& record : result.records) records[record.name] = &record.bytes;
  AtomExecutor executor(
      manifest, [&](const std::string& name) -> std::string_view { return *records.at(name); },
      has_stateful_atoms(manifest));
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
  for (const ReferenceRun& run : runs) {
    const bool example = &run == &runs.front();
    seed_random_numbers(options.seed);
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

}  // namespace adamec::torchscript
