#include "adamec/measure/expected_time.h"

#include <algorithm>
#include <vector>

#include "adamec/measure/campaign.h"

namespace adamec::measure {
namespace {

// A guess that is right within a factor of a few on anything from a phone to a server; what was
// measured so far corrects it.
constexpr double kMacsPerUs = 10e3;
constexpr double kBytesPerUs = 5e3;
constexpr double kUsPerAtom = 5;
constexpr double kLoadBytesPerUs = 500;
constexpr double kWarmUps = 2;

double guessed_run_us(const v1::Sample& sample) {
  const double bytes =
      static_cast<double>(sample.bytes_in() + sample.bytes_out() + sample.weight_bytes());
  return static_cast<double>(sample.macs()) / kMacsPerUs + bytes / kBytesPerUs +
         kUsPerAtom * std::max(1, sample.parts_size());
}

double visit_us(double run_us, const v1::Context& context) {
  double available = std::max(0.1, 1 - context.cpu_load());
  if (context.cpu_quota() > 0) available *= context.cpu_quota();
  return run_us / available + std::max(run_us / available, visit_options(context).visit_us);
}

}  // namespace

bool is_unloaded(const v1::Context& context) {
  return context.cpu_load() == 0 && context.cpu_quota() == 0;
}

unsigned visits_of_sweep(unsigned visits, unsigned sweep) {
  return sweep == 0 ? visits : std::max(1U, visits / 2);
}

double sweep_us(const v1::Sample& sample, std::span<const v1::Context> contexts,
                std::span<const std::size_t> chosen, unsigned visits) {
  const double run_us = guessed_run_us(sample);
  double us = static_cast<double>(sample.weight_bytes()) / kLoadBytesPerUs;
  for (std::size_t context : chosen) {
    us += kWarmUps * run_us + visits * visit_us(run_us, contexts[context]);
  }
  return us;
}

double expected_us(const CampaignItem& item, std::span<const v1::Context> contexts,
                   unsigned visits) {
  std::vector<std::size_t> unloaded;
  for (std::size_t context : item.contexts) {
    if (is_unloaded(contexts[context])) unloaded.push_back(context);
  }
  const double first = sweep_us(item.plan->sample, contexts, item.contexts, visits);
  if (unloaded.empty()) return first;
  return first + sweep_us(item.plan->sample, contexts, unloaded, visits_of_sweep(visits, 1));
}

}  // namespace adamec::measure
