#pragma once

#include <functional>
#include <memory>
#include <span>
#include <string>

#include "adamec/machine/affinity.h"
#include "adamec/machine/clock.h"
#include "adamec/machine/context_control.h"
#include "adamec/machine/control_group.h"
#include "adamec/machine/frequency.h"
#include "adamec/machine/load_generator.h"
#include "adamec/machine/observe.h"

namespace adamec::machine {

// The machine we run on: threads of LibTorch, load by other processes, limits on this process.
class Machine final : public ContextControl {
 public:
  // `cpus` are the CPUs this process may use; `contexts` those that will be entered, so that what
  // they need is made ready: the load generator (idle), control groups (without limits yet).
  // `set_threads` tells LibTorch. Throws Error when the host does not offer what they need.
  Machine(const CpuList& cpus, std::span<const v1::Context> contexts, const Clock& clock,
          std::function<void(unsigned)> set_threads);
  ~Machine() override;

  void enter(const v1::Context& context) override;
  v1::Reading leave() override;

  // For what is loaded before the first enter().
  void limit_memory(std::uint64_t bytes);

  // Makes a load while this process sleeps and returns the share of the CPUs' time that others got,
  // by /proc/stat: close to `cpu_load` when the generator works and nobody else is busy.
  [[nodiscard]] double verify_load(double cpu_load);

 private:
  void set_load(double cpu_load);

  CpuList cpus_;
  const Clock& clock_;
  std::function<void(unsigned)> set_threads_;
  std::unique_ptr<LoadGenerator> generator_;
  std::unique_ptr<ControlGroup> memory_;
  std::unique_ptr<ControlGroup> cpu_time_;
  std::unique_ptr<FrequencyLimit> frequency_;
  v1::Context current_;  // what has been set
  Snapshot start_;
  double start_cpu_us_ = 0;
  double start_wall_us_ = 0;
};

}  // namespace adamec::machine
