#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <csignal>
#include <filesystem>
#include <map>
#include <random>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "adamec/base/error.h"
#include "adamec/base/file.h"
#include "adamec/machine/control_group.h"
#include "adamec/measure/journal.h"
#include "tests/cli/profile_fixture.h"

namespace adamec::testing {
namespace {

using ::testing::ContainsRegex;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::StartsWith;

using AdamecProfilePractice = AdamecProfile;

TEST_F(AdamecProfilePractice, MeasuresBlocksAndTheWholeModel) {
  const CommandResult result = profile_all("net.atoms -o h.samples --blocks 30");
  ASSERT_EQ(result.exit_code, 0) << result.err;
  const v1::SampleSet set = samples("h.samples");
  std::map<v1::Subject, int> subjects;
  std::set<std::string> known;
  for (const v1::Configuration& part : set.configurations()) {
    EXPECT_EQ(part.operators_size(), 1);
    EXPECT_TRUE(known.insert(part.signature()).second);
  }
  EXPECT_EQ(known.size(), 2U);
  for (const v1::Sample& sample : set.samples()) {
    ++subjects[sample.subject()];
    EXPECT_GT(sample.latency().min_us(), 0);
    if (sample.subject() == v1::ATOM) continue;
    EXPECT_EQ(sample.edges_size(), sample.parts_size() - 1);  // a chain
    EXPECT_EQ(sample.tensors_in(), 1U);
    EXPECT_EQ(sample.tensors_out(), 1U);
    for (const std::string& part : sample.parts()) EXPECT_EQ(known.count(part), 1U);
    EXPECT_EQ(sample.part_us_size(), sample.subject() == v1::SEQUENCE ? 3 : 0);
    for (double us : sample.part_us()) EXPECT_GT(us, 0);
  }
  EXPECT_EQ(subjects[v1::ATOM], 2);
  EXPECT_EQ(subjects[v1::MODEL], 1);
  EXPECT_EQ(subjects[v1::SEQUENCE], 1);
  EXPECT_EQ(subjects[v1::BLOCK], 2);  // relu-matmul, matmul-relu

  const CommandResult again = profile_all("net.atoms -o h.samples --blocks 30 --resume");
  EXPECT_THAT(again.err, HasSubstr(" 0 to measure")) << again.err;
  const CommandResult one = profile_all("net.atoms --only 'model:*' --csv -q");
  ASSERT_EQ(one.exit_code, 0) << one.err;
  EXPECT_EQ(std::count(one.out.begin(), one.out.end(), '\n'), 3) << one.out;
  EXPECT_THAT(one.out, HasSubstr(",MODEL,net/model:combined,"));
}

TEST_F(AdamecProfilePractice, AFailingAtomFailsItsBlocksToo) {
  ArchiveMaker("net")
      .atom("good.relu", "aten::relu", "torch.relu(x)")
      .atom("bad.reshape", "aten::reshape", "torch.reshape(x, [3, 3])")
      .atom("tanh", "aten::tanh", "torch.tanh(x)")
      .write(folder_.path("bad.atoms"));
  const CommandResult result = profile_all("bad.atoms -o h.samples --blocks 20 --seed 5");
  ASSERT_EQ(result.exit_code, 0) << result.err;
  EXPECT_THAT(result.err, HasSubstr("to reproduce: adamec-profile bad.atoms --only model:combined "
                                    "--threads 1\n"));
  EXPECT_THAT(result.err, HasSubstr(" --blocks 20 --seed 5 --threads 1\n"));
  EXPECT_EQ(samples("h.samples").samples_size(), 2);
}

// Kills the tool at random moments: the sample file is readable each time, and --resume loses at
// most one visit.
TEST_F(AdamecProfilePractice, KilledAtAnyMomentItLeavesAReadableFile) {
  ArchiveMaker maker("many");
  for (int i = 0; i < 12; ++i) {
    maker.atom("op" + std::to_string(i), "aten::op" + std::to_string(i), "torch.relu(x)");
  }
  maker.write(folder_.path("many.atoms"));
  const unsigned seed = std::random_device()();
  SCOPED_TRACE(fmt::format("seed {}", seed));
  std::mt19937 random(seed);
  int samples_before = 0;
  for (int i = 0; i < 12; ++i) {
    const int ms = 200 + static_cast<int>(random() % 1500);
    run_command(fmt::format("timeout -s KILL {}.{:03} adamec-profile many.atoms --atoms-only "
                            "--threads 1,2 -o h.samples --resume -q",
                            ms / 1000, ms % 1000),
                folder_.path());
    if (!std::filesystem::exists(folder_.path("h.samples"))) continue;  // killed while loading
    const CommandResult report = run_command("adamec-profile --report h.samples", folder_.path());
    ASSERT_EQ(report.exit_code, 0) << report.err;
    const int samples_now = samples("h.samples").samples_size();
    EXPECT_GE(samples_now, samples_before);
    samples_before = samples_now;
  }
  const CommandResult last = profile("many.atoms --threads 1,2 -o h.samples --resume");
  ASSERT_EQ(last.exit_code, 0) << last.err;
  const v1::SampleSet set = samples("h.samples");
  std::set<std::string> keys;
  for (const v1::Sample& sample : set.samples()) {
    EXPECT_TRUE(
        keys.insert(fmt::format("{} {}", sample.signature(), sample.context().threads())).second);
    EXPECT_GE(sample.latency().visits(), 4U);
  }
  EXPECT_EQ(keys.size(), 24U);
  EXPECT_FALSE(std::filesystem::exists(folder_.path("h.samples.visits")));
}

TEST_F(AdamecProfilePractice, ResumesAfterAnInterruptedRun) {
  // Visits of at least 10 ms each, killed when some of them are in the journal.
  const std::string command =
      "adamec-profile net.atoms --atoms-only --visits 64 -o h.samples -q & pid=$!; "
      "for i in $(seq 600); do [ $(stat -c %s h.samples.visits 2>/dev/null || echo 0) -gt 5000 ] "
      "&& break; sleep 0.01; done; kill -9 $pid; wait $pid 2>/dev/null; true";
  run_command(command, folder_.path());
  const std::string journal = folder_.read("h.samples.visits");
  ASSERT_GT(journal.size(), 5000U);
  const v1::SampleSet before = samples("h.samples");
  EXPECT_EQ(before.samples_size(), 0);  // readable, nothing complete yet
  // Visits that no run could make show that they are not lost.
  ASSERT_EQ(before.hosts_size(), 1);
  v1::Journal visits = measure::read_journal(folder_.path("h.samples.visits"), before.hosts(0));
  ASSERT_GT(visits.visits_size(), 0);
  std::set<std::string> visited;
  for (v1::Visit& visit : *visits.mutable_visits()) {
    visit.set_run_us(0, 1e-6);
    visited.insert(visit.signature());
  }
  measure::JournalFile(folder_.path("h.samples.visits"), before.hosts(0), visits);
  const CommandResult result = profile("net.atoms -o h.samples --resume");
  ASSERT_EQ(result.exit_code, 0) << result.err;
  const v1::SampleSet set = samples("h.samples");
  ASSERT_EQ(set.samples_size(), 2);
  for (const v1::Sample& sample : set.samples()) {
    EXPECT_EQ(sample.latency().min_us() == 1e-6, visited.count(sample.signature()) > 0);
  }
  EXPECT_FALSE(std::filesystem::exists(folder_.path("h.samples.visits")));
}

// Leaves what an interrupted run leaves: no samples yet, and a journal with one visit of every
// configuration, of a time that no run could take. Returns the journal.
class AdamecProfileJournal : public AdamecProfile {
 protected:
  AdamecProfileJournal() {
    EXPECT_EQ(profile("net.atoms -o full.samples").exit_code, 0);
    const v1::SampleSet full = samples("full.samples");
    host_ = full.hosts(0);
    v1::SampleSet empty;
    *empty.add_hosts() = host_;
    folder_.write("h.samples", empty.SerializeAsString());
    v1::Journal journal;
    for (const v1::Sample& sample : full.samples()) {
      v1::Visit& visit = *journal.add_visits();
      visit.set_signature(sample.signature());
      *visit.mutable_context() = sample.context();
      visit.set_block_runs(3);
      visit.add_run_us(kImpossibleUs);
      visit.add_run_cpu_us(kImpossibleUs);
    }
    measure::JournalFile(folder_.path("h.samples.visits"), host_, journal);
    EXPECT_EQ(journal_visits(), 2);
  }

  int journal_visits() const {
    return measure::read_journal(folder_.path("h.samples.visits"), host_).visits_size();
  }

  static constexpr double kImpossibleUs = 1e-6;
  v1::Host host_;
};

TEST_F(AdamecProfileJournal, SurvivesAnErrorBeforeTheFirstSave) {
  // Before anything is measured, where the host cannot do it.
  if (!std::filesystem::exists("/sys/devices/system/cpu/cpu0/cpufreq/scaling_max_freq")) {
    EXPECT_EQ(profile("net.atoms -o h.samples --resume --frequency 0.5").exit_code, 1);
    EXPECT_EQ(journal_visits(), 2);
  }
  // After measuring: nothing else was asked for, and that fails.
  ArchiveMaker("bad")
      .atom("bad.reshape", "aten::reshape", "torch.reshape(x, [3, 3])")
      .write(folder_.path("bad.atoms"));
  EXPECT_EQ(profile("bad.atoms -o h.samples --resume").exit_code, 1);
  EXPECT_EQ(journal_visits(), 2);
  EXPECT_EQ(samples("h.samples").hosts_size(), 1);

  ASSERT_EQ(profile("net.atoms -o h.samples --resume").exit_code, 0);
  const v1::SampleSet set = samples("h.samples");
  ASSERT_EQ(set.samples_size(), 2);
  for (const v1::Sample& sample : set.samples()) {
    EXPECT_EQ(sample.latency().min_us(), kImpossibleUs);
  }
  EXPECT_FALSE(std::filesystem::exists(folder_.path("h.samples.visits")));
}

TEST_F(AdamecProfileJournal, KeepsVisitsOfWhatWasNotAskedFor) {
  ASSERT_EQ(profile("net.atoms -o h.samples --resume --only 'fc.*'").exit_code, 0);
  ASSERT_EQ(samples("h.samples").samples_size(), 1);
  EXPECT_EQ(journal_visits(), 1);
  ASSERT_EQ(profile("net.atoms -o h.samples --resume").exit_code, 0);
  const v1::SampleSet set = samples("h.samples");
  ASSERT_EQ(set.samples_size(), 2);
  EXPECT_EQ(set.samples(1).latency().min_us(), kImpossibleUs);
  EXPECT_FALSE(std::filesystem::exists(folder_.path("h.samples.visits")));
}

TEST_F(AdamecProfilePractice, ReadsContextsFromAFile) {
  folder_.write("c.yaml",
                "contexts:\n"
                "  - {threads: [1, 2], cpu_load: [0, 0.5]}\n"
                "  - threads: 1\n"
                "    memory_limit: 64MiB\n"
                "    cpu_quota: 0.5\n");
  const CommandResult list = profile("net.atoms --contexts c.yaml --list");
  ASSERT_EQ(list.exit_code, 0) << list.err;
  EXPECT_THAT(list.out, HasSubstr(" 1x0 1x0.5 2x0 2x0.5 1x0@64MiB/q0.5\n"));
  for (const auto& [text, message] : std::vector<std::pair<std::string, std::string>>{
           {"contexts: 3\n", "c.yaml:1: file.contexts: expected a list"},
           {"contexts: []\n", "c.yaml: contexts: expected at least one"},
           {"contexts:\n  - {thread: 1}\n", "c.yaml:2: contexts[0]: unknown key 'thread'"},
           {"contexts:\n  - {threads: one}\n",
            "c.yaml:2: contexts[0].threads: 'one' is not a number"},
           {"contexts:\n  - {threads: 1}\n  - {cpu_load: [0, 2]}\n",
            "c.yaml:3: contexts[1].cpu_load: 2 is not between 0 and 0.95"},
           {"contexts:\n  - {memory_limit: many}\n", "c.yaml:2: contexts[0].memory_limit: 'many'"},
           {"contexts: [\n", "c.yaml:"}}) {
    folder_.write("c.yaml", text);
    const CommandResult result = profile("net.atoms --contexts c.yaml --list");
    EXPECT_EQ(result.exit_code, 1) << text;
    EXPECT_THAT(result.err, StartsWith("adamec-profile: error: " + message)) << text;
  }
}

// A control group can be had where the process may make one; elsewhere the tool says why not.
TEST_F(AdamecProfilePractice, LimitsMemoryOrSaysWhyNot) {
  const CommandResult result =
      profile("net.atoms --only act.relu -o h.samples --memory-limit 0,256MiB");
  if (!std::filesystem::exists(folder_.path("h.samples"))) {
    EXPECT_EQ(result.exit_code, 1);
    EXPECT_THAT(result.err, ContainsRegex("memory limit: "));
    GTEST_SKIP() << "skipped: " << result.err;
  }
  ASSERT_EQ(result.exit_code, 0) << result.err;
  const v1::SampleSet set = samples("h.samples");
  std::set<std::string> rounds;
  for (const v1::Sample& sample : set.samples()) {
    if (sample.context().memory_limit() > 0) rounds.insert(sample.round());
  }
  ASSERT_EQ(rounds.size(), 1U);
  EXPECT_TRUE(std::any_of(set.samples().begin(), set.samples().end(), [&](const auto& sample) {
    return sample.context().memory_limit() == 0 && rounds.count(sample.round()) != 0;
  })) << "no unlimited partner";

  ArchiveMaker("hungry")
      .atom("big", "aten::repeat", "x.repeat([64, 64])")
      .write(folder_.path("hungry.atoms"));
  const CommandResult killed = profile("hungry.atoms -o k.samples --memory-limit 0,8MiB");
  ASSERT_EQ(killed.exit_code, 0) << killed.err;
  EXPECT_THAT(killed.err,
              HasSubstr("hungry/big: the system ended it: it needs more than 8.0 MiB; to "
                        "reproduce: adamec-profile hungry.atoms --only big --threads 1 "
                        "--memory-limit 8388608\n"));
  EXPECT_EQ(samples("k.samples").samples_size(), 1);
}

// Where the tool makes its groups.
std::string group_folder(const std::string& controller) {
  return machine::find_control_group(read_file("/proc/self/cgroup"),
                                     read_file("/proc/self/mountinfo"), controller)
      .folder;
}

// Groups of processes that are not there any more.
std::set<std::string> left_groups(const std::string& folder) {
  std::set<std::string> left;
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    const std::string name = entry.path().filename();
    if (name.rfind("adamec-", 0) != 0) continue;
    if (!std::filesystem::exists("/proc/" + name.substr(7))) left.insert(name);
  }
  return left;
}

class AdamecProfileInterrupted : public AdamecProfile,
                                 public ::testing::WithParamInterface<const char*> {};

// The group of a memory limit is that of a process that the tool starts.
TEST_P(AdamecProfileInterrupted, LeavesNoControlGroup) {
  for (const auto& [option, controller] : std::vector<std::pair<std::string, std::string>>{
           {"--cpu-quota 0.5", "cpu"}, {"--memory-limit 256MiB", "memory"}}) {
    const std::string folder = group_folder(controller);
    if (folder.empty()) GTEST_SKIP() << "skipped: no control groups for " << controller;
    const std::set<std::string> before = left_groups(folder);
    // Interrupted when the group of the process or of one of its children is there.
    const CommandResult result = run_command(
        "adamec-profile net.atoms --atoms-only --threads 1,2,3 --visits 64 -o h.samples " + option +
            " & pid=$!; for i in $(seq 400); do for group in " + folder +
            "/adamec-*; do p=${group##*-}; [ $p = $pid ] && break 2; "
            "grep -qs \"^PPid:[^0-9]*$pid$\" /proc/$p/status && break 2; done; "
            "kill -0 $pid 2>/dev/null || break; sleep 0.05; done; kill -" +
            GetParam() + " $pid; wait $pid; echo $?",
        folder_.path());
    if (result.err.find(" limit: ") != std::string::npos) {
      GTEST_SKIP() << "skipped: " << result.err;
    }
    EXPECT_THAT(result.out, ::testing::AnyOf("143\n", "129\n")) << result.err;
    std::set<std::string> left = left_groups(folder);
    for (int i = 0; i < 100 && left != before; ++i) {  // the other process ends after its parent
      ::usleep(50'000);
      left = left_groups(folder);
    }
    EXPECT_EQ(left, before) << option;
  }
}

INSTANTIATE_TEST_SUITE_P(Signals, AdamecProfileInterrupted, ::testing::Values("TERM", "HUP"));

TEST_F(AdamecProfilePractice, RefusesContextsTheHostCannotMake) {
  if (!std::filesystem::exists("/sys/devices/system/cpu/cpu0/cpufreq/scaling_max_freq")) {
    const CommandResult frequency = profile("net.atoms -o h.samples --frequency 0.5 --cpus 0");
    EXPECT_EQ(frequency.exit_code, 1);
    EXPECT_THAT(frequency.err,
                HasSubstr("error: frequency limit: the host does not offer it (no "));
    EXPECT_FALSE(std::filesystem::exists(folder_.path("h.samples")));
    EXPECT_FALSE(std::filesystem::exists(folder_.path("h.samples.visits")));
  }
  const CommandResult device = profile("net.atoms -o h.samples --device cuda:99");
  EXPECT_EQ(device.exit_code, 1);
  EXPECT_THAT(device.err, HasSubstr("error: --device: no cuda:99: "));
}

TEST_F(AdamecProfilePractice, SynthesizesConfigurations) {
  const CommandResult result = profile(
      "net.atoms -o h.samples --synthesize conv2d:3 --synthesize elementwise:2 --synthesize pool:2 "
      "--synthesize norm:2 --synthesize linear:2 --synthesize attention:3 --synthesize bmm:1");
  ASSERT_EQ(result.exit_code, 0) << result.err;
  EXPECT_THAT(result.err, Not(HasSubstr("left out")));
  const v1::SampleSet set = samples("h.samples");
  int synthetic = 0;
  for (const v1::Sample& sample : set.samples()) {
    if (sample.models_size() > 0) continue;
    ++synthetic;
    EXPECT_THAT(sample.sample_atom(), StartsWith("synthetic/"));
    EXPECT_EQ(sample.operators_size(), 1);
    EXPECT_GT(sample.bytes_out(), 0U);
    EXPECT_GT(sample.latency().min_us(), 0);
  }
  EXPECT_GE(synthetic, 12);
  const CommandResult alone = profile("--synthesize matmul:2 --seed 3 --list --json -q");
  ASSERT_EQ(alone.exit_code, 0) << alone.err;
  EXPECT_EQ(profile("--synthesize matmul:2 --seed 3 --list --json -q").out, alone.out);
  EXPECT_NE(profile("--synthesize matmul:2 --seed 4 --list --json -q").out, alone.out);
}

// Every kind near its usual calls, no model being at hand: all of them run.
TEST_F(AdamecProfilePractice, SynthesizesEveryKind) {
  const std::string kinds[] = {"conv2d",    "linear",    "matmul",      "bmm",
                               "attention", "conv1d",    "softmax",     "copy",
                               "recurrent", "quantised", "reduction",   "resize",
                               "pool",      "norm",      "elementwise", "multi_head_attention"};
  std::string all;
  for (const std::string& kind : kinds) all += " --synthesize " + kind + ":10";
  const CommandResult listed = profile(all + " --list --json");
  ASSERT_EQ(listed.exit_code, 0) << listed.err;
  EXPECT_THAT(listed.err, Not(HasSubstr("left out")));
  for (const std::string& kind : kinds) {
    EXPECT_THAT(listed.out, HasSubstr("synthetic/" + kind + ":")) << kind;
  }
}

TEST_F(AdamecProfilePractice, ReportsCoverageAndExports) {
  ASSERT_EQ(profile("net.atoms -o h.samples --cpu-load 0,0.5").exit_code, 0);
  const CommandResult report = run_command("adamec-profile --report h.samples", folder_.path());
  ASSERT_EQ(report.exit_code, 0) << report.err;
  EXPECT_THAT(report.out, StartsWith("host: "));
  EXPECT_THAT(report.out, ContainsRegex("\naten::relu +1 +2 "));
  EXPECT_THAT(report.out, ContainsRegex("\n1 thread, load 0.5 +2 "));
  EXPECT_THAT(report.out, HasSubstr("4 samples of 1 models; 2 under load or limits have a partner "
                                    "without, of the same round"));
  const CommandResult csv = run_command("adamec-profile --report h.samples --csv", folder_.path());
  EXPECT_THAT(csv.out, StartsWith("host,subject,atom,operator,"));
  EXPECT_EQ(std::count(csv.out.begin(), csv.out.end(), '\n'), 5);
  const CommandResult json =
      run_command("adamec-profile --report h.samples --json", folder_.path());
  EXPECT_THAT(json.out, StartsWith("{\n  \"hosts\": [\n"));
  EXPECT_THAT(json.out, HasSubstr("\"free_memory\": "));

  v1::SampleSet other = samples("h.samples");
  other.mutable_hosts(0)->set_id("0123456789abcdef");
  for (v1::Sample& sample : *other.mutable_samples()) sample.set_host_id("0123456789abcdef");
  folder_.write("o.samples", other.SerializeAsString());
  const CommandResult mixed =
      run_command("adamec-profile --report h.samples o.samples", folder_.path());
  ASSERT_EQ(mixed.exit_code, 0) << mixed.err;
  EXPECT_THAT(mixed.err, HasSubstr("samples of 2 hosts: one table for each\n"));
  EXPECT_THAT(mixed.out, HasSubstr("\nhost: "));
}

TEST_F(AdamecProfilePractice, RefusesBadSampleFiles) {
  ASSERT_EQ(profile("net.atoms -o h.samples").exit_code, 0);
  const std::string bytes = folder_.read("h.samples");
  const v1::SampleSet good = samples("h.samples");
  const auto report = [&](const std::string& content) {
    folder_.write("bad.samples", content);
    const CommandResult result = run_command("adamec-profile --report bad.samples", folder_.path());
    EXPECT_EQ(result.exit_code, 1);
    EXPECT_THAT(result.out, IsEmpty());
    EXPECT_EQ(std::count(result.err.begin(), result.err.end(), '\n'), 1) << result.err;
    return result.err;
  };
  EXPECT_THAT(report(bytes.substr(0, bytes.size() - 3)),
              HasSubstr("error: bad.samples: not a sample file, or cut off"));
  EXPECT_THAT(report("PK no samples"), HasSubstr("error: bad.samples: not a sample file"));
  for (double us : {0.0, std::nan(""), -5.0}) {
    v1::SampleSet set = good;
    set.mutable_samples(1)->mutable_latency()->set_min_us(us);
    EXPECT_THAT(report(set.SerializeAsString()),
                HasSubstr("error: bad.samples: samples[1].latency: "));
  }
  v1::SampleSet set = good;
  set.mutable_samples(0)->set_host_id("nobody");
  EXPECT_THAT(report(set.SerializeAsString()),
              HasSubstr("samples[0].host_id: 'nobody' is not a host of this file"));
  EXPECT_EQ(run_command("adamec-profile --report missing", folder_.path()).exit_code, 1);
}

}  // namespace
}  // namespace adamec::testing
