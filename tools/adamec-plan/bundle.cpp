#include "tools/adamec-plan/bundle.h"

#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <filesystem>

#include "adamec/base/error.h"
#include "adamec/v1/bundle.pb.h"

extern char** environ;

namespace adamec::tools {
namespace {

namespace fs = std::filesystem;

// Beside this program, or where an installation keeps what people do not run themselves.
std::string helper_path() {
  std::error_code error;
  const fs::path folder = fs::read_symlink("/proc/self/exe", error).parent_path();
  for (const char* place : {"adamec-bundle", "../libexec/adamec/adamec-bundle"}) {
    if (::access((folder / place).c_str(), X_OK) == 0) return (folder / place).string();
  }
  fail("--bundle: there is no adamec-bundle beside adamec-plan in {}", folder.string());
}

void add_plan(const plan::CostGraph& costs, const plan::Plan& plan, v1::BundleRequest& request) {
  v1::BundleRequest::Plan* added = request.add_plans();
  added->set_latency_ms(plan.evaluation.latency_ms);
  added->set_lower_bound_ms(plan.lower_bound_ms);
  added->set_gap(plan.gap);
  for (const plan::Block& block : plan.evaluation.blocks) {
    v1::BundleRequest::Block* to = added->add_blocks();
    to->set_tier(static_cast<std::uint32_t>(block.tier));
    double ms = 0;
    for (int atom : block.atoms) {
      to->add_atoms(static_cast<std::uint32_t>(atom));
      ms += costs.atoms[atom].latency_ms[block.tier];
    }
    to->set_ms(ms);
  }
  for (const plan::Transfer& transfer : plan.evaluation.transfers) {
    v1::BundleRequest::Transfer* to = added->add_transfers();
    to->set_tensor(costs.graph.tensors()[transfer.tensor].id);
    to->set_from(static_cast<std::uint32_t>(transfer.from));
    to->set_to(static_cast<std::uint32_t>(transfer.to));
    to->set_bytes(transfer.bytes);
    to->set_ms(transfer.ms);
  }
}

void write_all(int fd, const std::string& bytes) {
  for (std::size_t done = 0; done < bytes.size();) {
    const ssize_t count = ::write(fd, bytes.data() + done, bytes.size() - done);
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) return;  // it has ended early, and its exit code says why
    done += static_cast<std::size_t>(count);
  }
}

// Runs the program with `input` on its standard input. Returns its exit code.
int run_helper(const std::string& program, std::vector<std::string> arguments,
               const std::string& input) {
  std::array<int, 2> pipe{};
  if (::pipe2(pipe.data(), O_CLOEXEC) != 0) fail("--bundle: {}", std::strerror(errno));
  posix_spawn_file_actions_t actions;
  ::posix_spawn_file_actions_init(&actions);
  ::posix_spawn_file_actions_adddup2(&actions, pipe[0], STDIN_FILENO);
  std::vector<char*> argv;
  arguments.insert(arguments.begin(), program);
  for (std::string& argument : arguments) argv.push_back(argument.data());
  argv.push_back(nullptr);
  pid_t child = 0;
  const int error = ::posix_spawn(&child, program.c_str(), &actions, nullptr, argv.data(), environ);
  ::posix_spawn_file_actions_destroy(&actions);
  ::close(pipe[0]);
  if (error == 0) write_all(pipe[1], input);
  ::close(pipe[1]);
  if (error != 0) fail("{}: cannot run: {}", program, std::strerror(error));
  int status = 0;
  while (::waitpid(child, &status, 0) < 0) {
    if (errno != EINTR) fail("{}: {}", program, std::strerror(errno));
  }
  if (WIFEXITED(status)) return WEXITSTATUS(status);
  fail("{}: ended by signal {}", program, WTERMSIG(status));
}

}  // namespace

int make_bundle(const PlanInput& input, const PlanConfig& config,
                const std::vector<plan::Plan>& plans, const std::string& atlas) {
  v1::BundleRequest request;
  for (const plan::Tier& tier : input.costs.tiers) request.add_tiers(tier.name);
  for (const plan::Plan& plan : plans) add_plan(input.costs, plan, request);
  request.set_atlas(atlas);
  const int tier = input.costs.inputs.empty() ? 0 : input.costs.inputs.front().tier;
  request.set_input_tier(input.costs.tiers[tier].name);
  return run_helper(helper_path(), {"-o", config.extra.bundle, "--", config.archive},
                    request.SerializeAsString());
}

}  // namespace adamec::tools
