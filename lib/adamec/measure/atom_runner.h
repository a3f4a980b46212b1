#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "adamec/machine/clock.h"
#include "adamec/machine/host.h"
#include "adamec/measure/atom_program.h"
#include "adamec/measure/runnable.h"

// The one file of this room that knows LibTorch, behind a header that does not.
namespace adamec::measure {

// Without starting anything up: "1.13.1".
[[nodiscard]] std::string libtorch_version();
// The libraries LibTorch works with in this process.
[[nodiscard]] machine::Libraries loaded_libraries();

// Threads within an operator, for LibTorch and for a BLAS with threads of its own (OpenBLAS).
void set_threads(unsigned threads);

// Where to run: "" or "cpu", "cuda:0". Throws Error(kUsage) unless it is one of these forms, and
// Error when this machine or this LibTorch has no such device.
void check_device(const std::string& device);

struct RunnerOptions {
  std::uint64_t seed = 0;  // of the inputs
  std::string device;
};

// Loads the atom (or block) as it runs inside a block: frozen, in inference mode. Its inputs are
// made up by the seed (made_up_inputs.h): floating point normal, integers 0 or 1, or all 0 where
// the atom does not run with those. Throws Error, also from run(), with the program's name and
// LibTorch's reason in one line.
[[nodiscard]] std::unique_ptr<Runnable> load_atom(const AtomProgram& program,
                                                  const RunnerOptions& options);

// All atoms of the archive, run one after the other as modules of their own: the tensors of one are
// the inputs of the next. Its steps are the atoms, in the manifest's order. `clock` must outlive
// it.
[[nodiscard]] std::unique_ptr<Runnable> load_sequence(const archive::Reader& archive,
                                                      const machine::Clock& clock,
                                                      const RunnerOptions& options);

}  // namespace adamec::measure
