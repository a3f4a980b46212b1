#pragma once

#include <functional>
#include <memory>
#include <string>

#include "adamec/measure/affinity.h"
#include "adamec/measure/clock.h"
#include "adamec/measure/load_generator.h"
#include "adamec/measure/proc_stat.h"
#include "adamec/measure/stage.h"

namespace adamec::measure {

// The machine we run on: threads of LibTorch, load by other processes.
class Machine final : public Stage {
 public:
  // `cpus` are the CPUs this process may use. `with_load`: contexts with CPU load will be asked
  // for, so start the load generator (idle). `set_threads` tells LibTorch.
  Machine(const CpuList& cpus, bool with_load, const Clock& clock,
          std::function<void(unsigned)> set_threads);

  void enter(const v1::Context& context) override;
  LoadReading leave() override;

  // Makes a load while this process sleeps and returns the share of the CPUs' time that others got,
  // by /proc/stat: close to `cpu_load` when the generator works and nobody else is busy.
  double verify_load(double cpu_load);

 private:
  void set_load(double cpu_load);

  CpuList cpus_;
  const Clock& clock_;
  std::function<void(unsigned)> set_threads_;
  std::unique_ptr<LoadGenerator> generator_;
  unsigned threads_ = 0;
  double load_ = 0;
  CpuTicks start_ticks_;
  double start_cpu_us_ = 0;
};

}  // namespace adamec::measure
