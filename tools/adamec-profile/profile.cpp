#include "tools/adamec-profile/profile.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <map>
#include <memory>
#include <set>

#include "adamec/base/error.h"
#include "adamec/base/sha256.h"
#include "adamec/machine/machine.h"
#include "adamec/measure/atom_program.h"
#include "adamec/measure/atom_runner.h"
#include "adamec/measure/contexts.h"
#include "adamec/measure/journal.h"
#include "adamec/measure/measuring_order.h"
#include "adamec/measure/sample_file.h"
#include "adamec/torchscript/blocks/combine.h"
#include "tools/adamec-profile/limited.h"
#include "tools/adamec-profile/sample_writer.h"
#include "tools/common/progress.h"

namespace adamec::tools {
namespace {

// The generator's quantum and /proc/stat's ticks leave a few percent open.
constexpr double kLoadTolerance = 0.15;

void warn_about_machine(machine::Machine& machine, const std::vector<v1::Context>& contexts,
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
        fmt::format("a CPU load of {} was asked for, but other processes use {:.2f} of the CPUs "
                    "(/proc/stat): times will repeat less well",
                    load, observed));
  }
}

// Different for every run, so that rounds of different files do not mix when these are joined.
std::string make_run_id(const v1::Host& host) {
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  return sha256_hex(fmt::format("{} {}", host.id(), now.count())).substr(0, 12);
}

void report_shortfalls(const measure::CampaignResult& result, const WorkList& work,
                       const ProfileConfig& config, const Console& console) {
  for (const measure::Failure& failure : result.failures) {
    console.warn(failure_text(failure, work, config));
  }
  if (result.left_out > 0) {
    console.warn(fmt::format("--budget: enough time for only {} of {} configurations",
                             work.items().size() - result.left_out, work.items().size()));
  }
  // What an interrupted run measured is there, and what it could not measure fails again.
  if (result.measured == 0 && work.previous().samples().empty()) {
    fail("none of the {} configurations could be measured", work.items().size());
  }
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

// Gives each item the visits that an interrupted run left in its journal.
std::vector<measure::CampaignItem> with_earlier_visits(const WorkList& work,
                                                       const std::vector<v1::Context>& contexts,
                                                       const v1::Journal& journal) {
  std::map<std::string, std::vector<const v1::Visit*>> visits;
  for (const v1::Visit& visit : journal.visits()) {
    visits[measure::measurement_key(visit.signature(), visit.context())].push_back(&visit);
  }
  std::vector<measure::CampaignItem> items = work.items();
  for (measure::CampaignItem& item : items) {
    for (const std::size_t context : item.contexts) {
      const auto found =
          visits.find(measure::measurement_key(item.plan->signature(), contexts[context]));
      if (found == visits.end()) continue;
      for (const v1::Visit* visit : found->second) item.earlier.emplace(context, *visit);
    }
  }
  return items;
}

std::multimap<std::size_t, v1::Reading> earlier_readings(const std::vector<v1::Context>& contexts,
                                                         const v1::Journal& journal) {
  std::multimap<std::size_t, v1::Reading> readings;
  for (const v1::Reading& reading : journal.readings()) {
    const std::string key = measure::measurement_key("", reading.context());
    for (std::size_t i = 0; i < contexts.size(); ++i) {
      if (measure::measurement_key("", contexts[i]) == key) readings.emplace(i, reading);
    }
  }
  return readings;
}

std::unique_ptr<measure::Runnable> load_item(const WorkList& work, const measure::WorkItem& item,
                                             const ProfileConfig& config,
                                             const machine::Clock& clock) {
  const measure::RunnerOptions options{config.seed, config.device};
  if (work.archive_of(item) == nullptr) {
    return measure::load_atom(synthetic_program(work.synthetic(), item.atoms[0], config.seed),
                              options);
  }
  const archive::Reader& archive = *work.archive_of(item);
  switch (item.sample.subject()) {
    case v1::SEQUENCE:
      return measure::load_sequence(archive, clock, options);
    case v1::BLOCK:
    case v1::MODEL: {
      const torchscript::BlockModule block =
          torchscript::combine(archive, item.atoms, /*frozen=*/true);
      return measure::load_atom(
          measure::make_program(archive, item.name, block.record, block.inputs), options);
    }
    default:
      return measure::load_atom(
          measure::read_program(archive, archive.manifest().atoms(item.atoms[0])), options);
  }
}

// Measures on the machine as it is and with the limits asked for.
class ProfileRun {
 public:
  ProfileRun(const WorkList& work, const ProfileConfig& config, const CommonOptions& common,
             const Console& console, const v1::Host& host, SampleWriter* writer,
             const v1::Journal& journal)
      : config_(config),
        console_(console),
        writer_(writer),
        previous_(work.previous().samples()),
        items_(with_earlier_visits(work, config.contexts, journal)),
        options_(campaign_options(config, host)),
        progress_("measuring", 1, common.quiet) {
    options_.earlier_readings = earlier_readings(config.contexts, journal);
    load_ = [this, &work](const measure::WorkItem& item) {
      return load_item(work, item, config_, clock_);
    };
  }

  measure::CampaignResult measure() {
    // First the limits: their processes are forked while this one has one thread.
    measure::CampaignResult result;
    const auto limited = limited_items(items_, config_.contexts);
    if (!limited.empty()) {
      result = run_limited(limited, config_.contexts, load_, clock_, options_,
                           [this](const std::vector<v1::Sample>& samples) { save(samples, {}); });
    }
    const auto unlimited = unlimited_items(items_, config_.contexts);
    if (unlimited.empty()) return result;
    if (config_.budget_us > 0) {
      std::vector<const v1::Sample*> known;
      for (const v1::Sample& sample : previous_) known.push_back(&sample);
      options_.order = measure::measuring_order(unlimited, config_.contexts, known, config_.visits);
    }
    std::vector<v1::Context> contexts = config_.contexts;
    std::erase_if(contexts, [](const v1::Context& context) { return context.memory_limit() > 0; });
    const machine::CpuList cpus = machine::usable_cpus();
    machine::Machine machine(cpus, contexts, clock_, measure::set_threads);
    warn_about_machine(machine, contexts, cpus.size(), console_);
    const measure::CampaignResult rest = run_campaign(unlimited, config_.contexts, load_, machine,
                                                      clock_, options_, events(result.samples));
    result.left_out += rest.left_out;
    result.failures.insert(result.failures.end(), rest.failures.begin(), rest.failures.end());
    result.samples.insert(result.samples.end(), rest.samples.begin(), rest.samples.end());
    std::set<std::string> measured;
    for (const v1::Sample& sample : result.samples) measured.insert(sample.signature());
    result.measured = measured.size();
    return result;
  }

 private:
  measure::CampaignEvents events(const std::vector<v1::Sample>& before) {
    measure::CampaignEvents events;
    events.on_visit = [this](const v1::Visit& visit) {
      if (writer_ != nullptr) writer_->add(visit);
    };
    events.on_reading = [this](const v1::Reading& reading) {
      if (writer_ != nullptr) writer_->add(reading);
    };
    events.on_progress = [this](const measure::CampaignProgress& progress) {
      progress_.update(static_cast<std::size_t>(progress.done_us * 1e-3),
                       static_cast<std::size_t>(progress.all_us * 1e-3));
    };
    events.on_round = [this, &before](const std::vector<v1::Sample>& samples) {
      save(before, samples);
    };
    return events;
  }

  void save(std::vector<v1::Sample> samples, const std::vector<v1::Sample>& more) {
    samples.insert(samples.end(), more.begin(), more.end());
    if (writer_ != nullptr) writer_->save(samples);
  }

  const ProfileConfig& config_;
  const Console& console_;
  SampleWriter* writer_;
  const machine::SystemClock clock_;
  const google::protobuf::RepeatedPtrField<v1::Sample>& previous_;
  const std::vector<measure::CampaignItem> items_;
  measure::CampaignOptions options_;
  measure::Loader load_;
  Progress progress_;
};

}  // namespace

Summary profile(const WorkList& work, const ProfileConfig& config, const CommonOptions& common,
                const Console& console) {
  const machine::SystemClock clock;
  const double start_us = clock.wall_us();
  measure::check_device(config.device);
  Summary summary;
  summary.host = describe_host(machine::read_host_facts(), measure::loaded_libraries());
  measure::check_same_host(work.previous(), summary.host, config.output);
  v1::Journal journal;
  if (config.resume) {
    journal = measure::read_journal(measure::journal_path(config.output), summary.host);
  }
  std::unique_ptr<SampleWriter> writer;  // made first: better to fail now than after the work
  if (!config.output.empty()) {
    writer = std::make_unique<SampleWriter>(config.output, work.previous(), summary.host, journal,
                                            work.parts());
  }
  for (const std::string& refused : work.synthetic().refused) {
    console.warn("--synthesize: left out " + refused);
  }
  if (!work.items().empty()) {
    summary.result =
        ProfileRun(work, config, common, console, summary.host, writer.get(), journal).measure();
  }
  summary.seconds = (clock.wall_us() - start_us) * 1e-6;
  if (!work.items().empty()) report_shortfalls(summary.result, work, config, console);
  if (writer) writer->finish(summary.result.samples);
  return summary;
}

}  // namespace adamec::tools
