// measure_atoms MODEL.pt M.atoms ROUNDS SPEC...
//
// Times, on one thread and in turn: the whole model, frozen; its atoms one by one, each a module of
// its own; all atoms combined into one block. Prints one JSON object with the medians and with the
// medians of the ratios within a round. See measure_atoms.py.
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <numeric>

#include "adamec/archive/archive.h"
#include "adamec/base/error.h"
#include "adamec/torchscript/blocks/combine.h"
#include "adamec/torchscript/load/arguments.h"
#include "adamec/torchscript/load/load.h"
#include "adamec/torchscript/run/record.h"

namespace adamec::bench {
namespace {

namespace jit = torch::jit;
using Arguments = std::vector<c10::IValue>;

// The atoms, loaded, and where each finds its inputs: nothing is looked up by name while it runs.
class Atoms {
 public:
  explicit Atoms(const archive::Reader& archive) {
    const v1::Manifest& manifest = archive.manifest();
    for (const v1::Tensor& tensor : manifest.tensors()) {
      index_[tensor.id()] = slots_.size();
      slots_.emplace_back();
      keep_.push_back(tensor.role() == v1::WEIGHT);
      if (!keep_.back()) continue;
      slots_.back() = torchscript::load_record(archive.read_weight(tensor)).forward({}).toTensor();
    }
    for (const v1::Input& input : manifest.inputs()) {
      arguments_.push_back(index_.at(input.value().tensor()));
    }
    for (const v1::Atom& atom : manifest.atoms()) {
      Step step{
          torchscript::load_record(archive.read_atom(atom)).get_method("forward"), {}, {}, {}};
      for (const std::string& id : atom.inputs()) step.inputs.push_back(index_.at(id));
      for (const std::string& id : atom.outputs()) step.outputs.push_back(index_.at(id));
      steps_.push_back(std::move(step));
    }
    drop_after_last_use();
  }

  void run(const Arguments& arguments) {
    for (std::size_t i = 0; i < arguments_.size(); ++i)
      slots_[arguments_[i]] = arguments[i].toTensor();
    for (Step& step : steps_) {
      Arguments inputs;
      inputs.reserve(step.inputs.size());
      for (const std::size_t slot : step.inputs) inputs.emplace_back(slots_[slot]);
      const c10::IValue result = step.forward(std::move(inputs));
      for (std::size_t i = 0; i < step.outputs.size(); ++i) {
        slots_[step.outputs[i]] = step.outputs.size() == 1
                                      ? result.toTensor()
                                      : result.toTupleRef().elements()[i].toTensor();
      }
      for (const std::size_t slot : step.dead) slots_[slot] = at::Tensor();
    }
  }

 private:
  struct Step {
    jit::Method forward;
    std::vector<std::size_t> inputs, outputs, dead;
  };

  void drop_after_last_use() {
    std::vector<bool> seen = keep_;
    for (auto step = steps_.rbegin(); step != steps_.rend(); ++step) {
      for (const std::size_t slot : step->inputs) {
        if (!seen[slot]) step->dead.push_back(slot);
        seen[slot] = true;
      }
    }
  }

  std::vector<at::Tensor> slots_;
  std::vector<bool> keep_;
  std::unordered_map<std::string, std::size_t> index_;
  std::vector<std::size_t> arguments_;
  std::vector<Step> steps_;
};

double seconds(const std::function<void()>& work) {
  const auto start = std::chrono::steady_clock::now();
  work();
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

double median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  return values[values.size() / 2];
}

int run(int argc, char** argv) {
  if (argc < 5) fail_with(ErrorKind::kUsage, "measure_atoms MODEL.pt M.atoms ROUNDS SPEC...");
  at::set_num_threads(1);
  const at::NoGradGuard no_grad;
  const auto model = torchscript::load_model(argv[1]);
  const auto archive = archive::Reader::open(argv[2]);
  const int rounds = std::stoi(argv[3]);
  const Arguments arguments = torchscript::example_arguments(
      model.module, "forward", std::vector<std::string>(argv + 4, argv + argc), "", 0);
  std::vector<int> all(archive.manifest().atoms_size());
  std::iota(all.begin(), all.end(), 0);

  jit::Module whole = jit::freeze_module(model.module);
  jit::Module block =
      torchscript::load_record(torchscript::combine(archive, all, /*frozen=*/true).record);
  Atoms atoms(archive);
  const std::function<void()> variants[] = {[&] { whole.forward(arguments); },
                                            [&] { atoms.run(arguments); },
                                            [&] { block.forward(arguments); }};
  std::vector<double> times[3], ratios[3];
  for (int round = -3; round < rounds; ++round) {
    double taken[3];
    for (int k = 0; k < 3; ++k) {  // another one comes first in each round
      const int variant = (k + round + 3) % 3;
      taken[variant] = seconds(variants[variant]);
    }
    if (round < 0) continue;  // TorchScript profiles its first runs
    for (int k = 0; k < 3; ++k) {
      times[k].push_back(taken[k]);
      ratios[k].push_back(taken[k] / taken[0]);
    }
  }
  const auto fastest = [&](int k) { return *std::min_element(times[k].begin(), times[k].end()); };
  std::printf(R"({"atoms": %zu, "whole_ms": %.3f, "atoms_ratio": %.4f, "block_ratio": %.4f, )"
              R"("atoms_fastest": %.4f, "block_fastest": %.4f})"
              "\n",
              all.size(), 1e3 * median(times[0]), median(ratios[1]), median(ratios[2]),
              fastest(1) / fastest(0), fastest(2) / fastest(0));
  return 0;
}

}  // namespace
}  // namespace adamec::bench

int main(int argc, char** argv) {
  try {
    return adamec::bench::run(argc, argv);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "measure_atoms: error: %s\n", error.what());
    return 1;
  }
}
