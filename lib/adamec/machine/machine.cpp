#include "adamec/machine/machine.h"

#include <algorithm>
#include <chrono>
#include <thread>
#include <utility>

#include "adamec/base/error.h"

namespace adamec::machine {
namespace {

constexpr auto kUntilLoadIsFelt =
    std::chrono::milliseconds(10);  // two periods of the load generator
constexpr auto kVerify = std::chrono::milliseconds(300);

template <typename Wants>
bool any(std::span<const v1::Context> contexts, Wants wants) {
  return std::any_of(contexts.begin(), contexts.end(), wants);
}

}  // namespace

Machine::Machine(const CpuList& cpus, std::span<const v1::Context> contexts, const Clock& clock,
                 std::function<void(unsigned)> set_threads)
    : cpus_(cpus), clock_(clock), set_threads_(std::move(set_threads)) {
  // First, so that its processes are outside the control groups.
  if (any(contexts, [](const v1::Context& context) { return context.cpu_load() > 0; })) {
    generator_ = std::make_unique<LoadGenerator>(cpus);
  }
  if (any(contexts, [](const v1::Context& context) { return context.memory_limit() > 0; })) {
    memory_ = std::make_unique<ControlGroup>(ControlGroup::Controller::kMemory);
  }
  if (any(contexts, [](const v1::Context& context) { return context.cpu_quota() > 0; })) {
    cpu_time_ = std::make_unique<ControlGroup>(ControlGroup::Controller::kCpu);
  }
  if (any(contexts, [](const v1::Context& context) { return context.frequency() > 0; })) {
    frequency_ = std::make_unique<FrequencyLimit>(cpus);
  }
}

Machine::~Machine() = default;

void Machine::set_load(double cpu_load) {
  if (cpu_load == current_.cpu_load()) return;
  if (!generator_) fail("CPU load {}: the machine was not made ready for it", cpu_load);
  generator_->set_load(cpu_load);
  current_.set_cpu_load(cpu_load);
  std::this_thread::sleep_for(kUntilLoadIsFelt);
}

void Machine::limit_memory(std::uint64_t bytes) {
  if (bytes == current_.memory_limit()) return;
  if (!memory_) fail("memory limit of {} bytes: the machine was not made ready for it", bytes);
  memory_->limit_memory(bytes);
  current_.set_memory_limit(bytes);
}

void Machine::enter(const v1::Context& context) {
  if (context.threads() != current_.threads()) {
    set_threads_(context.threads());
    current_.set_threads(context.threads());
  }
  if (context.cpu_quota() != current_.cpu_quota()) {
    if (!cpu_time_)
      fail("CPU quota {}: the machine was not made ready for it", context.cpu_quota());
    cpu_time_->limit_cpu(context.cpu_quota() * static_cast<double>(cpus_.size()));
    current_.set_cpu_quota(context.cpu_quota());
  }
  if (context.frequency() != current_.frequency()) {
    if (!frequency_)
      fail("frequency {}: the machine was not made ready for it", context.frequency());
    frequency_->set(context.frequency());
    current_.set_frequency(context.frequency());
  }
  limit_memory(context.memory_limit());
  set_load(context.cpu_load());
  start_ = read_snapshot(cpus_);
  start_cpu_us_ = clock_.cpu_us();
  start_wall_us_ = clock_.wall_us();
}

v1::Reading Machine::leave() {
  const Snapshot end = read_snapshot(cpus_);
  const double own_us = clock_.cpu_us() - start_cpu_us_;
  const auto total = static_cast<double>(end.ticks.total - start_.ticks.total);
  v1::Reading reading;
  reading.set_others_ticks(others_share(start_.ticks, end.ticks, own_us, ticks_per_second()) *
                           total);
  reading.set_total_ticks(total);
  reading.set_cpu_waiting_us(end.cpu_waiting_us - start_.cpu_waiting_us);
  reading.set_memory_waiting_us(end.memory_waiting_us - start_.memory_waiting_us);
  reading.set_wall_us(clock_.wall_us() - start_wall_us_);
  reading.set_free_memory(end.free_memory);
  if (end.frequency_mhz > 0) {
    reading.set_frequency_sum(end.frequency_mhz);
    reading.set_frequencies(1);
  }
  return reading;
}

double Machine::verify_load(double cpu_load) {
  set_load(cpu_load);
  const CpuTicks before = read_cpu_ticks(cpus_);
  const double start_cpu_us = clock_.cpu_us();
  std::this_thread::sleep_for(kVerify);
  return others_share(before, read_cpu_ticks(cpus_), clock_.cpu_us() - start_cpu_us,
                      ticks_per_second());
}

}  // namespace adamec::machine
