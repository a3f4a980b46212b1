#include "tools/adamec-profile/profile.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <memory>
#include <set>

#include "adamec/base/error.h"
#include "adamec/base/file.h"
#include "adamec/base/sha256.h"
#include "adamec/measure/atom_program.h"
#include "adamec/measure/atom_runner.h"
#include "adamec/measure/machine.h"
#include "adamec/measure/sample_file.h"
#include "tools/common/progress.h"

namespace adamec::tools {
namespace {

// The generator's quantum and /proc/stat's ticks leave a few percent open.
constexpr double kLoadTolerance = 0.15;

void warn_about_machine(measure::Machine& machine, const std::vector<v1::Context>& contexts,
                        std::size_t cpus, const Console& console) {
  std::set<double> loads;
  unsigned most_threads = 0;
  for (const v1::Context& context : contexts) {
    loads.insert(context.cpu_load());
    most_threads = std::max(most_threads, context.threads());
  }
  if (most_threads > cpus) {
    console.warn(fmt::format("--threads: {} threads share {} CPU{}", most_threads, cpus,
                             cpus == 1 ? "" : "s"));
  }
  for (double load : loads) {
    const double observed = machine.verify_load(load);
    if (std::abs(observed - load) <= kLoadTolerance) continue;
    console.warn(
        fmt::format("a CPU load of {} was asked for, but others use {:.2f} of the CPUs "
                    "(/proc/stat): less will repeat",
                    load, observed));
  }
}

// Different for every run, so that rounds of different files do not mix when these are joined.
std::string make_run_id(const v1::Host& host) {
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  return sha256_hex(fmt::format("{} {}", host.id(), now.count())).substr(0, 12);
}

v1::SampleSet joined(const v1::SampleSet& previous, const v1::Host& host,
                     const std::vector<v1::Sample>& samples) {
  v1::SampleSet all = previous;
  if (all.hosts().empty()) *all.add_hosts() = host;
  for (const v1::Sample& sample : samples) *all.add_samples() = sample;
  return all;
}

void report_shortfalls(const measure::CampaignResult& result, const WorkList& work,
                       const ProfileConfig& config, const Console& console) {
  for (const measure::Failure& failure : result.failures) {
    console.warn(failure_text(failure, config.archives[failure.plan->archive]));
  }
  if (result.left_out > 0) {
    console.warn(fmt::format("--budget: enough for {} of {} configurations",
                             work.items().size() - result.left_out, work.items().size()));
  }
  if (result.measured == 0) fail("none of the {} atoms could be measured", work.items().size());
}

measure::CampaignOptions campaign_options(const ProfileConfig& config, const v1::Host& host) {
  measure::CampaignOptions options;
  options.visits = config.visits;
  options.seed = config.seed;
  options.budget_us = config.budget_us;
  options.host_id = host.id();
  options.run_id = make_run_id(host);
  return options;
}

}  // namespace

Summary profile(const WorkList& work, const ProfileConfig& config, const CommonOptions& common,
                const Console& console) {
  const measure::SystemClock clock;
  const double start_us = clock.wall_us();
  std::unique_ptr<OutputFile> output;  // made first: better to fail now than after the work
  if (!config.output.empty()) output = std::make_unique<OutputFile>(config.output);
  Summary summary;
  summary.host = describe_host(measure::read_host_facts(), measure::loaded_libraries());
  measure::check_same_host(work.previous(), summary.host, config.output);
  if (!work.items().empty()) {
    const measure::CpuList cpus = measure::current_affinity();
    const auto loaded = [](const v1::Context& context) { return context.cpu_load() > 0; };
    const bool with_load = std::any_of(config.contexts.begin(), config.contexts.end(), loaded);
    measure::Machine machine(cpus, with_load, clock, measure::set_threads);
    warn_about_machine(machine, config.contexts, cpus.size(), console);
    const measure::CampaignOptions options = campaign_options(config, summary.host);
    Progress progress("measuring", planned_visits(work.items(), options), common.quiet);
    std::size_t visits = 0;
    measure::CampaignEvents events;
    events.on_visit = [&] { progress.update(++visits); };
    events.on_round = [&](const std::vector<v1::Sample>& samples) {
      if (!config.resume) return;
      write_file(config.output, joined(work.previous(), summary.host, samples).SerializeAsString());
    };
    const auto load = [&](const measure::PlanItem& item) {
      return measure::load_atom(measure::read_program(work.archive_of(item), *item.atom),
                                config.seed);
    };
    summary.result =
        run_campaign(work.items(), config.contexts, load, machine, clock, options, events);
  }
  summary.seconds = (clock.wall_us() - start_us) * 1e-6;
  if (!work.items().empty()) report_shortfalls(summary.result, work, config, console);
  if (output) {
    output->write(
        joined(work.previous(), summary.host, summary.result.samples).SerializeAsString());
    output->commit();
  }
  return summary;
}

}  // namespace adamec::tools
