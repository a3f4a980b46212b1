#pragma once

#include <string>

#include "adamec/v1/samples.pb.h"

namespace adamec::machine {

// Versions of the libraries that do the work, as they name themselves; asked from LibTorch
// (atom_runner.h).
struct Libraries {
  std::string libtorch;  // "1.13.1"
  std::string blas;      // "OpenBLAS 0.3.21"
  std::string onednn;    // "v2.6.3"
  std::string openmp;    // "libgomp 4.5, passive"
};

// What the machine says about itself.
struct HostFacts {
  std::string cpuinfo;  // text of /proc/cpuinfo
  std::string governor;
  std::string architecture;
  unsigned cores = 0;
};
[[nodiscard]] HostFacts read_host_facts();

// The name of the processor from the text of /proc/cpuinfo: "model name" where there is one (x86),
// else "Model" or "Hardware" (boards), else the numbers of implementer and part (ARM), else
// "unknown".
[[nodiscard]] std::string cpu_model(const std::string& cpuinfo);

// The fingerprint that samples and predictors carry. Its id is the first 16 hexadecimal digits of
// the SHA-256 of all other fields.
[[nodiscard]] v1::Host describe_host(const HostFacts& facts, const Libraries& libraries);

// "AMD EPYC, 2 cores, LibTorch 1.13.1 (id 0123456789abcdef)", for messages.
[[nodiscard]] std::string summarise(const v1::Host& host);

}  // namespace adamec::machine
