#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "adamec/measure/atom_program.h"
#include "adamec/measure/host.h"
#include "adamec/measure/runnable.h"

// The one file of this room that knows LibTorch, behind a header that does not.
namespace adamec::measure {

// Without starting anything up: "1.13.1".
std::string libtorch_version();
// The libraries LibTorch works with in this process.
Libraries loaded_libraries();

// Threads within an operator, for LibTorch and for a BLAS with threads of its own (OpenBLAS).
void set_threads(unsigned threads);

// Loads the atom as it runs inside a block: frozen, in inference mode. Its inputs are made up:
// floating point normal, integers 0 or 1 (they may be indices), by the seed. Throws Error, also
// from run(), with the program's name and LibTorch's reason in one line.
std::unique_ptr<Runnable> load_atom(const AtomProgram& program, std::uint64_t seed);

}  // namespace adamec::measure
