// Runs a fuzz target without libFuzzer: on its seeds, on what fuzzers have found
// (tests/fuzz/found/NAME/), and on mutations of both that are the same every time.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <filesystem>
#include <random>

#include "adamec/base/file.h"
#include "tests/fuzz/fuzz.h"
#include "tests/support/run_command.h"

namespace adamec::fuzz {
namespace {

constexpr int kMutations = 30000;  // in all
const char kCrashFile[] = "crash-" ADAMEC_FUZZ_NAME;

using Random = std::mt19937;

// Of the input that runs, for the signal handler.
const char* current_data = nullptr;
std::size_t current_size = 0;

extern "C" void keep_input(int signal) {
  const int file = ::open(kCrashFile, O_WRONLY | O_CREAT | O_TRUNC, 0644);
  if (file >= 0 && ::write(file, current_data, current_size) >= 0) {
    constexpr char kSaid[] = "the input that crashed is in ./crash-" ADAMEC_FUZZ_NAME "\n";
    [[maybe_unused]] const auto written = ::write(STDERR_FILENO, kSaid, sizeof(kSaid) - 1);
  }
  std::signal(signal, SIG_DFL);
  std::raise(signal);
}

void run(const std::string& input) {
  current_data = input.data();
  current_size = input.size();
  LLVMFuzzerTestOneInput(reinterpret_cast<const std::uint8_t*>(input.data()), input.size());
}

std::vector<std::string> corpus() {
  std::vector<std::string> all = seeds();
  const std::string folder =
      testing::source_path(std::string("tests/fuzz/found/") + ADAMEC_FUZZ_NAME);
  std::vector<std::string> files;
  if (std::filesystem::exists(folder)) {
    for (const auto& entry : std::filesystem::directory_iterator(folder)) {
      files.push_back(entry.path());
    }
  }
  std::sort(files.begin(), files.end());
  for (const std::string& file : files) all.push_back(read_file(file));
  return all;
}

std::size_t pick(Random& random, std::size_t count) { return count == 0 ? 0 : random() % count; }

void mutate(Random& random, std::string& bytes, const std::vector<std::string>& all) {
  static const std::vector<std::string> kPieces = {std::string("\0\0\0\0", 4),
                                                   "\xff\xff\xff\xff",
                                                   "\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01",
                                                   "\x7f",
                                                   "\x80",
                                                   "-1",
                                                   "9223372036854775807",
                                                   "9223372036854775808",
                                                   "[",
                                                   "]",
                                                   ",",
                                                   "<",
                                                   "=",
                                                   "../",
                                                   "1e999",
                                                   "nan",
                                                   "PK\x03\x04",
                                                   "PK\x01\x02",
                                                   "PK\x05\x06",
                                                   "PK\x06\x06"};
  const std::size_t at = pick(random, bytes.size() + 1);
  const std::size_t length = pick(random, std::min<std::size_t>(bytes.size() - at, 40) + 1);
  switch (random() % 8) {
    case 0:
      if (at < bytes.size()) bytes[at] = static_cast<char>(bytes[at] ^ (1 << random() % 8));
      break;
    case 1:
      if (at < bytes.size()) bytes[at] = static_cast<char>(random());
      break;
    case 2:
      bytes.erase(at, length);
      break;
    case 3:
      bytes.insert(at, bytes.substr(at, length));
      break;
    case 4:
      bytes.insert(at, kPieces[pick(random, kPieces.size())]);
      break;
    case 5: {
      const std::string& piece = kPieces[pick(random, kPieces.size())];
      bytes.replace(at, std::min(piece.size(), bytes.size() - at), piece);
      break;
    }
    case 6: {
      const std::string& other = all[pick(random, all.size())];
      const std::size_t from = pick(random, other.size() + 1);
      bytes.replace(at, length, other.substr(from, 40));
      break;
    }
    default:
      if (random() % 8 == 0) bytes.resize(at);
  }
}

TEST(Fuzz, SurvivesSeedsAndTheirMutations) {
  for (const int signal : {SIGABRT, SIGSEGV, SIGFPE}) std::signal(signal, keep_input);
  const std::vector<std::string> all = corpus();
  ASSERT_FALSE(all.empty());
  for (const std::string& input : all) run(input);
  run("");
  Random random(7);
  for (int i = 0; i < kMutations; ++i) {
    std::string input = all[static_cast<std::size_t>(i) % all.size()];
    for (auto left = 1 + random() % 5; left > 0; --left) mutate(random, input, all);
    run(input);
  }
}

// ADAMEC_SEEDS=FOLDER: writes the corpus there, for libFuzzer to start from.
TEST(Fuzz, WritesItsCorpusWhenAsked) {
  const char* folder = std::getenv("ADAMEC_SEEDS");
  if (folder == nullptr) return;
  int number = 0;
  for (const std::string& input : corpus()) {
    write_file(std::string(folder) + "/seed-" + std::to_string(number++), input);
  }
}

}  // namespace
}  // namespace adamec::fuzz
