#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <cctype>
#include <csignal>
#include <filesystem>
#include <sstream>

#include "adamec/machine/affinity.h"
#include "tests/cli/profile_fixture.h"

namespace adamec::testing {
namespace {

using ::testing::ContainsRegex;
using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::StartsWith;

TEST_F(AdamecProfile, WritesASampleForEveryConfigurationAndContext) {
  const CommandResult result = profile("net.atoms -o h.samples --threads 1,2");
  ASSERT_EQ(result.exit_code, 0) << result.err;
  EXPECT_THAT(result.out, IsEmpty());
  EXPECT_THAT(result.err, HasSubstr("3 atoms, 2 configurations chosen"));
  EXPECT_THAT(result.err, HasSubstr("2 configurations measured"));
  EXPECT_THAT(result.err, HasSubstr("two halves of the visits agree within 5 % for"));
  const v1::SampleSet set = samples("h.samples");
  ASSERT_EQ(set.hosts_size(), 1);
  EXPECT_EQ(set.hosts(0).id().size(), 16U);
  EXPECT_THAT(set.hosts(0).openmp(), HasSubstr("PASSIVE after 10000 spins"));
  ASSERT_EQ(set.samples_size(), 4);
  for (const v1::Sample& sample : set.samples()) {
    EXPECT_EQ(sample.host_id(), set.hosts(0).id());
    EXPECT_EQ(sample.subject(), v1::ATOM);
    EXPECT_EQ(sample.backend(), sample.context().threads() == 1 ? "one" : "many");
    EXPECT_GT(sample.latency().min_us(), 0);
    EXPECT_LE(sample.latency().min_us(), sample.latency().p50_us());
    EXPECT_LE(sample.latency().p50_us(), sample.latency().p95_us());
    EXPECT_GE(sample.latency().visits(), 4U);
    EXPECT_LE(sample.latency().visits(), 12U);  // on a machine that does not settle
    EXPECT_EQ(sample.bytes_in(), 4U * kSize * kSize);
    EXPECT_EQ(sample.bytes_out(), 4U * kSize * kSize);
    EXPECT_FALSE(sample.round().empty());
  }
  EXPECT_EQ(set.samples(0).sample_atom(), "net/act.relu");
  EXPECT_EQ(set.samples(2).sample_atom(), "net/fc.matmul");
}

// Another host, as far as latencies are concerned.
TEST_F(AdamecProfile, LeavesHowIdleThreadsWaitToTheUser) {
  for (const std::string choice :
       {"OMP_WAIT_POLICY=ACTIVE", "GOMP_SPINCOUNT=77", "OPENBLAS_THREAD_TIMEOUT=20"}) {
    const CommandResult result =
        run_command(choice + " adamec-profile --atoms-only --only 'net/fc*' net.atoms -o " +
                        choice + ".samples",
                    folder_.path());
    ASSERT_EQ(result.exit_code, 0) << result.err;
  }
  EXPECT_THAT(samples("OMP_WAIT_POLICY=ACTIVE.samples").hosts(0).openmp(),
              EndsWith("policy ACTIVE"));
  EXPECT_THAT(samples("GOMP_SPINCOUNT=77.samples").hosts(0).openmp(),
              EndsWith("policy not set after 77 spins"));
}

// OpenMP binds the first thread before main(): the program that is started anew must not be
// confined to its CPU.
TEST_F(AdamecProfile, UsesAllCpusWhereOpenMpBindsThreads) {
  const machine::CpuList cpus = machine::usable_cpus();
  if (cpus.size() < 2) GTEST_SKIP() << "skipped: one CPU only";
  const std::string all = machine::format_cpu_list({cpus[0], cpus[1]});
  for (const std::string& arguments : {std::string(), "--cpus " + all}) {
    const CommandResult result = run_command(
        "OMP_PROC_BIND=true adamec-profile --atoms-only --only 'net/fc*' net.atoms "
        "--threads 2 " +
            arguments,
        folder_.path());
    ASSERT_EQ(result.exit_code, 0) << result.err;
    EXPECT_THAT(result.err, Not(HasSubstr("share 1 CPU")));
  }
  const std::string first = std::to_string(cpus[0]);
  const CommandResult result = run_command(
      "OMP_PLACES='{" + first + "}' adamec-profile net.atoms -o x.samples --cpus " + all,
      folder_.path());
  EXPECT_EQ(result.exit_code, 1);
  EXPECT_THAT(result.err, HasSubstr("is not available to this process, only " + first + "\n"));
}

TEST_F(AdamecProfile, MeasuresUnderLoadInTheSameRound) {
  const CommandResult result = profile("net.atoms -o h.samples --cpu-load 0,0.5 --cpus 0");
  ASSERT_EQ(result.exit_code, 0) << result.err;
  const v1::SampleSet set = samples("h.samples");
  ASSERT_EQ(set.samples_size(), 4);
  EXPECT_EQ(set.samples(0).context().cpu_load(), 0);
  EXPECT_EQ(set.samples(1).context().cpu_load(), 0.5);
  EXPECT_EQ(set.samples(1).context().affinity(), "0");
  EXPECT_EQ(set.samples(0).round(), set.samples(1).round());
  EXPECT_GT(set.samples(1).observed().cpu_load(), 0);
}

// Processes of the tool whose working directory is the folder.
std::vector<pid_t> processes_in(const std::string& folder) {
  std::vector<pid_t> found;
  for (const auto& entry : std::filesystem::directory_iterator("/proc")) {
    const std::string name = entry.path().filename();
    if (name.find_first_not_of("0123456789") != std::string::npos) continue;
    std::error_code gone;
    const auto cwd = std::filesystem::read_symlink(entry.path() / "cwd", gone);
    const auto exe = std::filesystem::read_symlink(entry.path() / "exe", gone);
    if (!gone && cwd == folder && exe.filename() == "adamec-profile") {
      found.push_back(std::stoi(name));
    }
  }
  std::sort(found.begin(), found.end());
  return found;
}

TEST_F(AdamecProfile, KilledItTakesItsLoadGeneratorWithIt) {
  const std::string folder = folder_.path();
  run_command("adamec-profile net.atoms --cpu-load 0.5 --budget 60s > log 2>&1 & echo $! > pid",
              folder);
  std::vector<pid_t> processes;
  for (int i = 0; i < 600 && processes.size() < 2; ++i) {
    ::usleep(50'000);
    processes = processes_in(folder);
  }
  EXPECT_GE(processes.size(), 2U) << folder_.read("log");
  ::kill(std::stoi(folder_.read("pid")), SIGKILL);
  for (int i = 0; i < 600 && !processes.empty(); ++i) {
    ::usleep(50'000);
    processes = processes_in(folder);
  }
  EXPECT_THAT(processes, IsEmpty());
}

TEST_F(AdamecProfile, JoinedFilesAreASampleSet) {
  ASSERT_EQ(profile("net.atoms -o a.samples --shard 1/2").exit_code, 0);
  ASSERT_EQ(profile("net.atoms -o - --shard 2/2 > b.samples").exit_code, 0);
  const v1::SampleSet set = parse_samples(folder_.read("a.samples") + folder_.read("b.samples"));
  ASSERT_EQ(set.samples_size(), 2);
  EXPECT_NE(set.samples(0).signature(), set.samples(1).signature());
  EXPECT_NE(set.samples(0).round(), set.samples(1).round());
}

TEST_F(AdamecProfile, ReadsAnArchiveFromStandardInput) {
  const CommandResult result = profile("- -o h.samples", folder_.read("net.atoms"));
  ASSERT_EQ(result.exit_code, 0) << result.err;
  EXPECT_EQ(samples("h.samples").samples_size(), 2);
}

TEST_F(AdamecProfile, MeasuresWhatModelsShareOnce) {
  ArchiveMaker("other")
      .atom("a.relu", "aten::relu", "torch.relu(x)")
      .atom("b.sigmoid", "aten::sigmoid", "torch.sigmoid(x)")
      .write(folder_.path("other.atoms"));
  const CommandResult result = profile("net.atoms other.atoms --list --json");
  ASSERT_EQ(result.exit_code, 0) << result.err;
  EXPECT_THAT(result.err, HasSubstr("5 atoms, 3 configurations chosen"));
  EXPECT_THAT(result.out, HasSubstr("\"net/act.relu\""));
  EXPECT_THAT(result.out, Not(HasSubstr("other/a.relu")));
  EXPECT_THAT(result.out, HasSubstr("\"net\",\n      \"other\""));
}

TEST_F(AdamecProfile, ListsWithoutMeasuring) {
  const CommandResult result = profile("net.atoms --list --threads 1,2 --cpu-load 0,0.9");
  ASSERT_EQ(result.exit_code, 0) << result.err;
  EXPECT_THAT(result.out, StartsWith("atom"));
  EXPECT_THAT(result.out,
              ContainsRegex("net/fc.matmul  aten::matmul +1 +0 B +[0-9.]+ ms  1x0 1x0.9 2x0"));
  EXPECT_THAT(result.err, HasSubstr("2 to measure in 4 contexts, about "));
  EXPECT_EQ(folder_.list(), std::vector<std::string>{"net.atoms"});
}

TEST_F(AdamecProfile, PrintsATableOrJsonWithoutOutput) {
  const CommandResult table = profile("net.atoms --only 'fc.*'");
  ASSERT_EQ(table.exit_code, 0) << table.err;
  EXPECT_THAT(table.out, HasSubstr("net/fc.matmul"));
  EXPECT_THAT(table.out, Not(HasSubstr("relu")));
  const CommandResult json = profile("net.atoms --only 'net/act2.relu' --json -q");
  ASSERT_EQ(json.exit_code, 0) << json.err;
  EXPECT_THAT(json.err, IsEmpty());
  EXPECT_THAT(json.out, StartsWith("{\n  \"host\": {"));
  EXPECT_THAT(json.out, HasSubstr("\"atom\": \"net/act2.relu\""));
  EXPECT_THAT(json.out, HasSubstr("\"within_10_percent\""));
}

TEST_F(AdamecProfile, ReportsAFailingAtomAndGoesOn) {
  ArchiveMaker("net")
      .atom("good.relu", "aten::relu", "torch.relu(x)")
      .atom("bad.reshape", "aten::reshape", "torch.reshape(x, [3, 3])")
      .write(folder_.path("bad.atoms"));
  const CommandResult result = profile("bad.atoms -o h.samples");
  ASSERT_EQ(result.exit_code, 0) << result.err;
  EXPECT_THAT(result.err, HasSubstr("adamec-profile: warning: bad.atoms: bad.reshape: shape '[3, "
                                    "3]' is invalid for input of size 4096; to reproduce: "
                                    "adamec-profile bad.atoms --only bad.reshape --threads 1\n"));
  EXPECT_EQ(samples("h.samples").samples_size(), 1);

  // Nothing is left but what fails again.
  const CommandResult resumed = profile("bad.atoms -o h.samples --resume");
  EXPECT_EQ(resumed.exit_code, 0) << resumed.err;
  EXPECT_THAT(resumed.err, HasSubstr("warning: bad.atoms: bad.reshape: shape"));
  EXPECT_EQ(samples("h.samples").samples_size(), 1);

  const CommandResult reproduced = profile("bad.atoms --only bad.reshape --threads 1");
  EXPECT_EQ(reproduced.exit_code, 1);
  EXPECT_THAT(reproduced.out, IsEmpty());
  EXPECT_THAT(reproduced.err, HasSubstr("error: none of the 1 configurations could be measured\n"));
}

TEST_F(AdamecProfile, ResumesWhatIsMissing) {
  ASSERT_EQ(profile("net.atoms -o h.samples --resume --shard 1/2").exit_code, 0);
  const v1::SampleSet first = samples("h.samples");
  ASSERT_EQ(first.samples_size(), 1);
  const CommandResult second = profile("net.atoms -o h.samples --resume");
  ASSERT_EQ(second.exit_code, 0) << second.err;
  EXPECT_THAT(second.err, HasSubstr("2 configurations chosen, 1 to measure"));
  const v1::SampleSet both = samples("h.samples");
  ASSERT_EQ(both.samples_size(), 2);
  EXPECT_EQ(both.hosts_size(), 1);
  EXPECT_EQ(both.samples(0).SerializeAsString(), first.samples(0).SerializeAsString());

  const std::string before = folder_.read("h.samples");
  const CommandResult third = profile("net.atoms -o h.samples --resume");
  EXPECT_EQ(third.exit_code, 0) << third.err;
  EXPECT_THAT(third.err, HasSubstr("0 to measure"));
  EXPECT_EQ(folder_.read("h.samples"), before);
}

TEST_F(AdamecProfile, RefusesToResumeOnAnotherHost) {
  v1::SampleSet set;
  v1::Host& host = *set.add_hosts();
  host.set_id("0123456789abcdef");
  host.set_cpu_model("Z80");
  host.set_cores(1);
  const std::string file = folder_.write("h.samples", set.SerializeAsString());
  const CommandResult result = profile("net.atoms -o h.samples --resume");
  EXPECT_EQ(result.exit_code, 1);
  EXPECT_THAT(result.err,
              HasSubstr("error: h.samples: measured on a different host, Z80, 1 cores"));
  EXPECT_EQ(folder_.read("h.samples"), set.SerializeAsString());
}

TEST_F(AdamecProfile, ASmallBudgetLeavesAtomsOut) {
  ArchiveMaker maker("many");
  for (int i = 0; i < 40; ++i) {
    maker.atom("op" + std::to_string(i), "aten::op" + std::to_string(i), "torch.relu(x)");
  }
  maker.write(folder_.path("many.atoms"));
  const CommandResult result = profile("many.atoms -o h.samples --budget 200ms");
  ASSERT_EQ(result.exit_code, 0) << result.err;
  EXPECT_THAT(result.err, HasSubstr("warning: --budget: enough time for only "));
  EXPECT_THAT(result.err, HasSubstr(" of 40 configurations"));
  const int measured = samples("h.samples").samples_size();
  EXPECT_GE(measured, 1);
  EXPECT_LT(measured, 40);
}

TEST_F(AdamecProfile, TakesOptionsFromVariablesAndFiles) {
  folder_.write("profile.toml", "threads = [1, 2]\ncpu-load = \"0.5\"\n");
  const CommandResult file = profile("net.atoms --list --config profile.toml");
  ASSERT_EQ(file.exit_code, 0) << file.err;
  EXPECT_THAT(file.out, HasSubstr("1x0.5 2x0.5"));
  const CommandResult variable = run_command(
      "ADAMEC_THREADS=2 adamec-profile net.atoms --list --config profile.toml", folder_.path());
  EXPECT_THAT(variable.out, Not(HasSubstr("1x0.5")));
  EXPECT_THAT(variable.out, HasSubstr("2x0.5"));
}

TEST_F(AdamecProfile, WritesADepfile) {
  ASSERT_EQ(profile("net.atoms -o h.samples -MF h.d").exit_code, 0);
  EXPECT_EQ(folder_.read("h.d"), "h.samples: net.atoms\n");
}

TEST_F(AdamecProfile, RefusesBadArchives) {
  folder_.write("text.atoms", "not a zip");
  const CommandResult text = profile("text.atoms -o h.samples");
  EXPECT_EQ(text.exit_code, 1);
  EXPECT_THAT(text.err, StartsWith("adamec-profile: error: text.atoms: "));
  EXPECT_EQ(std::count(text.err.begin(), text.err.end(), '\n'), 1) << text.err;

  const CommandResult missing = profile("missing.atoms -o h.samples");
  EXPECT_EQ(missing.exit_code, 1);
  EXPECT_THAT(missing.err, StartsWith("adamec-profile: error: missing.atoms: "));

  std::string bytes = folder_.read("net.atoms");
  const std::size_t record = bytes.find("PK\x03\x04", 100);
  ASSERT_NE(record, std::string::npos);
  bytes[record + 200] ^= 1;  // inside the first atom's bytes
  folder_.write("damaged.atoms", bytes);
  const CommandResult damaged = profile("damaged.atoms -o h.samples --only act.relu");
  EXPECT_EQ(damaged.exit_code, 1);
  EXPECT_THAT(damaged.err, HasSubstr("damaged.atoms: "));
  EXPECT_FALSE(std::filesystem::exists(folder_.path("h.samples")));
}

TEST_F(AdamecProfile, RefusesDevicesItDoesNotKnow) {
  const CommandResult result = profile("net.atoms --device gpu");
  EXPECT_EQ(result.exit_code, 2);
  EXPECT_THAT(result.err,
              HasSubstr("adamec-profile: error: --device: 'gpu' is neither cpu nor cuda:N"));
}

TEST_F(AdamecProfile, RefusesWrongUsage) {
  folder_.write("c.yaml", "contexts:\n  - {threads: 1}\n");
  for (const auto& [arguments, message] : std::vector<std::pair<std::string, std::string>>{
           {"-o h.samples", "an archive, or --synthesize, is required"},
           {"net.atoms --threads 0", "--threads: 0 is not between 1 and 1024"},
           {"net.atoms --threads '1;2'",
            "--threads: '1;2' is not a list of whole numbers like 1,2"},
           {"net.atoms --threads -1", "--threads: '-1' is not a list of whole numbers"},
           {"net.atoms --threads two", "--threads: 'two' is not a list of whole numbers"},
           {"net.atoms --cpu-load 1", "--cpu-load: 1 is not between 0 and 0.95"},
           {"net.atoms --cpu-load nan", "--cpu-load: nan is not between 0 and 0.95"},
           {"net.atoms --cpus 3-1", "--cpus: '3-1' is not a list of CPUs like 0,2-3"},
           {"net.atoms --visits 1", "--visits: 1 is not between 4 and 64"},
           {"net.atoms --budget 0", "--budget: must be greater than 0"},
           {"net.atoms --budget soon", "--budget"},
           {"net.atoms --shard 3/2", "--shard: '3/2' is not I/N with I from 1 to N"},
           {"net.atoms --cpu-quota 2", "--cpu-quota: 2 is not between 0 and 1"},
           {"net.atoms --frequency half", "--frequency: 'half' is not a list of numbers"},
           {"net.atoms --memory-limit 5", "--memory-limit: 5 B is less than 1.0 MiB"},
           {"net.atoms --memory-limit lots", "--memory-limit: 'lots'"},
           {"net.atoms --blocks 10001", "--blocks: 10001 is not between 0 and 10000"},
           {"net.atoms --synthesize conv3d:5", "--synthesize: 'conv3d:5' is not KIND:N"},
           {"net.atoms --synthesize conv2d", "--synthesize: 'conv2d' is not KIND:N"},
           {"net.atoms --contexts c.yaml --threads 2", "--contexts: the file says threads"},
           {"net.atoms --report -o h.samples", "--report measures nothing"},
           {"net.atoms --json --csv", "--json and --csv cannot be used together"},
           {"--report", "a sample file is required"},
           {"net.atoms --resume", "--resume needs -o with a file"},
           {"net.atoms --resume -o /dev/stdout", "--resume needs -o with a file"},
           {"net.atoms --resume -o /dev/null", "--resume needs -o with a file"},
           {"net.atoms -o - --json", "both write to standard output"},
           {"- - -o h.samples", "standard input can be read only once"}}) {
    const CommandResult result = profile(arguments);
    EXPECT_EQ(result.exit_code, 2) << arguments << "\n" << result.err;
    EXPECT_THAT(result.out, IsEmpty());
    EXPECT_THAT(result.err, StartsWith("adamec-profile: error: "));
    EXPECT_THAT(result.err, HasSubstr(message));
  }
}

TEST_F(AdamecProfile, RefusesWhatCannotBeDone) {
  const CommandResult folder = profile("net.atoms -o missing/h.samples");
  EXPECT_EQ(folder.exit_code, 1);
  EXPECT_THAT(folder.err, HasSubstr("error: missing/h.samples"));
  const CommandResult denied = profile("net.atoms -o /proc/h.samples");  // for root as well
  EXPECT_EQ(denied.exit_code, 1);
  EXPECT_THAT(denied.err, HasSubstr("error: /proc/h.samples"));
  const CommandResult cpu = profile("net.atoms -o h.samples --cpus 1000");
  EXPECT_EQ(cpu.exit_code, 1);
  EXPECT_THAT(cpu.err, HasSubstr("error: CPU 1000 is not available to this process"));
  const CommandResult none = profile("net.atoms -o h.samples --only conv");
  EXPECT_EQ(none.exit_code, 1);
  EXPECT_THAT(none.err, HasSubstr("net.atoms: none of the 3 atoms matches --only"));
  folder_.write("damaged.samples", "\xff\xff");
  const CommandResult damaged = profile("net.atoms -o damaged.samples --resume");
  EXPECT_EQ(damaged.exit_code, 1);
  EXPECT_THAT(damaged.err, HasSubstr("error: damaged.samples: not a sample file"));
}

// Every option in one line that can be read alone; what else there is to say stands below.
TEST(AdamecProfileAbout, HelpsInShortLines) {
  const CommandResult result = run_command("adamec-profile --help");
  ASSERT_EQ(result.exit_code, 0);
  EXPECT_THAT(result.out, HasSubstr("70 internal error"));
  std::istringstream lines(result.out);
  int options = 0;
  for (std::string line; std::getline(lines, line);) {
    EXPECT_LE(line.size(), 120U) << line;
    if (line.rfind("  -", 0) != 0) continue;
    const std::size_t gap = line.find("  ", 2);
    ASSERT_NE(gap, std::string::npos) << line;
    std::istringstream words(line.substr(gap));
    std::string word;
    words >> word;
    EXPECT_TRUE(std::isupper(static_cast<unsigned char>(word[0]))) << line;
    int count = 1;
    while (words >> word) ++count;
    EXPECT_LE(count, 15) << line;
    ++options;
  }
  EXPECT_GE(options, 20);
}

TEST(AdamecProfileAbout, TellsVersions) {
  const CommandResult result = run_command("adamec-profile --version");
  EXPECT_EQ(result.exit_code, 0);
  EXPECT_THAT(result.out, HasSubstr("LibTorch "));
  EXPECT_THAT(result.out, HasSubstr("sample format 1"));
}

}  // namespace
}  // namespace adamec::testing
