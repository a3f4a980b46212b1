#include "adamec/measure/machine.h"

#include <chrono>
#include <thread>
#include <utility>

#include "adamec/base/error.h"

namespace adamec::measure {
namespace {

constexpr auto kSettle = std::chrono::milliseconds(10);  // two periods of the load generator
constexpr auto kVerify = std::chrono::milliseconds(300);

}  // namespace

Machine::Machine(const CpuList& cpus, bool with_load, const Clock& clock,
                 std::function<void(unsigned)> set_threads)
    : cpus_(cpus),
      clock_(clock),
      set_threads_(std::move(set_threads)),
      generator_(with_load ? std::make_unique<LoadGenerator>(cpus) : nullptr) {}

void Machine::set_load(double cpu_load) {
  if (cpu_load == load_) return;
  if (!generator_) fail("no load generator for a CPU load of {}", cpu_load);
  generator_->set_load(cpu_load);
  load_ = cpu_load;
  std::this_thread::sleep_for(kSettle);
}

void Machine::enter(const v1::Context& context) {
  if (context.threads() != threads_) {
    set_threads_(context.threads());
    threads_ = context.threads();
  }
  set_load(context.cpu_load());
  start_ticks_ = read_cpu_ticks(cpus_);
  start_cpu_us_ = clock_.cpu_us();
}

LoadReading Machine::leave() {
  const CpuTicks ticks = read_cpu_ticks(cpus_);
  const double own_us = clock_.cpu_us() - start_cpu_us_;
  const auto total = static_cast<double>(ticks.total - start_ticks_.total);
  return {others_share(start_ticks_, ticks, own_us, ticks_per_second()) * total, total};
}

double Machine::verify_load(double cpu_load) {
  set_load(cpu_load);
  const CpuTicks before = read_cpu_ticks(cpus_);
  const double start_cpu_us = clock_.cpu_us();
  std::this_thread::sleep_for(kVerify);
  return others_share(before, read_cpu_ticks(cpus_), clock_.cpu_us() - start_cpu_us,
                      ticks_per_second());
}

}  // namespace adamec::measure
