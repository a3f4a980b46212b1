#include "adamec/measure/atom_runner.h"

#include <ATen/CPUGeneratorImpl.h>
#include <ATen/Config.h>
#include <ATen/Parallel.h>
#include <ATen/Version.h>
#include <ATen/detail/CUDAHooksInterface.h>
#include <dlfcn.h>
#include <torch/script.h>
#include <torch/version.h>

#include <algorithm>
#include <cstdlib>
#include <map>
#include <utility>
#include <vector>

#include "adamec/base/error.h"
#include "adamec/torchscript/run/execute.h"
#include "adamec/torchscript/run/made_up_inputs.h"
#include "adamec/torchscript/run/message.h"
#include "adamec/torchscript/run/node_visits.h"
#include "adamec/torchscript/run/record.h"

namespace adamec::measure {
namespace {

using torchscript::MadeUpIntegers;

// Calls `work`; whatever LibTorch throws becomes an Error with the name in front.
template <typename Work>
auto guarded(const std::string& name, Work&& work) {
  try {
    return work();
  } catch (const Error&) {
    throw;
  } catch (const std::exception& error) {
    fail("{}: {}", name, torchscript::reason_of(error));
  }
}

at::Device device_of(const std::string& device) {
  return device.empty() ? at::Device(at::kCPU) : at::Device(device);
}

torch::jit::Module load_module(const std::string& record, const at::Device& device) {
  torch::jit::Module module = torchscript::load_record(record, device);
  module.eval();
  return module;
}

torch::jit::Module frozen(const torch::jit::Module& module) {
  try {
    return torch::jit::freeze(module);
  } catch (const std::exception&) {
    return module;  // frozen already, or keeps state: it runs as it is
  }
}

// As an attribute or, in blocks, as a constant.
bool holds_packed_weights(const torch::jit::Module& module) {
  for (const c10::IValue& attribute : module.attributes()) {
    if (attribute.isCustomClass()) return true;
  }
  const auto is_packed = [](torch::jit::Node* node) {
    return node->kind() == c10::prim::Constant &&
           torch::jit::toIValue(node->output())->isCustomClass();
  };
  for (torch::jit::Node* node : module.get_method("forward").graph()->nodes()) {
    if (torchscript::any_node(node, is_packed)) return true;
  }
  return false;
}

// What runs, frozen. What LibTorch prepares of packed (quantised) weights at their first run is for
// the number of threads there was then, and fails with another one: each number gets a module of
// its own.
class Program {
 public:
  Program(std::string record, const at::Device& device)
      : record_(std::move(record)), device_(device) {
    const torch::jit::Module module = load_module(record_, device_);
    packed_ = holds_packed_weights(module);
    add(frozen(module));
    if (!packed_) record_ = std::string();
  }

  c10::IValue run(std::vector<c10::IValue> inputs) {
    const auto own = packed_ ? methods_.find(at::get_num_threads()) : methods_.begin();
    if (own != methods_.end()) return own->second(std::move(inputs));
    return add(frozen(load_module(record_, device_)))(std::move(inputs));
  }

 private:
  // A method keeps its module alive.
  torch::jit::Method& add(const torch::jit::Module& module) {
    return methods_.emplace(at::get_num_threads(), module.get_method("forward")).first->second;
  }

  std::string record_;  // of packed weights only
  at::Device device_;
  bool packed_ = false;
  std::map<int, torch::jit::Method> methods_;  // by number of threads; one where it does not matter
};

c10::IValue make_input(const AtomInput& input, at::Generator& generator, const at::Device& device,
                       MadeUpIntegers integers) {
  if (!input.weight_record.empty()) return load_module(input.weight_record, device).forward({});
  return torchscript::made_up_tensor(input.type, generator, integers).to(device);
}

bool is_made_up_integer(const AtomInput& input) {
  return input.weight_record.empty() && torchscript::holds_integers(input.type);
}

// Integers are 0 or 1 unless the work does not run with them: then they are all 0, which is an
// index into anything that has an element. `make` gives the work its inputs.
template <typename Make>
void make_inputs(Runnable& work, bool integers, const Make& make) {
  make(MadeUpIntegers::kZeroOrOne);
  if (!integers) return;
  try {
    work.run();
  } catch (const Error&) {
    make(MadeUpIntegers::kZero);
  }
}

// Work on other devices goes on after the call has returned.
void finish(const at::Device& device) {
  if (device.is_cuda()) at::detail::getCUDAHooks().deviceSynchronize(device.index());
}

class TorchAtom final : public Runnable {
 public:
  TorchAtom(const AtomProgram& program, const RunnerOptions& options)
      : name_(program.name), device_(device_of(options.device)), program_(program.record, device_) {
    const bool integers =
        std::any_of(program.inputs.begin(), program.inputs.end(), is_made_up_integer);
    make_inputs(*this, integers, [&](MadeUpIntegers made_up) {
      at::Generator generator = at::make_generator<at::CPUGeneratorImpl>(options.seed);
      inputs_.clear();
      for (const AtomInput& input : program.inputs) {
        inputs_.push_back(make_input(input, generator, device_, made_up));
      }
    });
  }

  void run() override {
    guarded(name_, [&] {
      const c10::InferenceMode inference;
      program_.run(inputs_);
      finish(device_);
    });
  }

 private:
  std::string name_;
  at::Device device_;
  Program program_;
  std::vector<c10::IValue> inputs_;
};

class TorchSequence final : public Runnable {
 public:
  TorchSequence(const archive::Reader& archive, const machine::Clock& clock,
                const RunnerOptions& options)
      : name_(archive.name()),
        clock_(clock),
        device_(device_of(options.device)),
        tensors_(archive.graph().tensors().size()) {
    for (int i = 0; i < archive.manifest().atoms_size(); ++i) add_step(archive, i);
    step_us_.resize(steps_.size());
    const auto& tensors = archive.manifest().tensors();
    const bool integers = std::any_of(tensors.begin(), tensors.end(), [](const v1::Tensor& tensor) {
      return tensor.role() == v1::INPUT && torchscript::holds_integers(tensor.type());
    });
    make_inputs(*this, integers,
                [&](MadeUpIntegers made_up) { give_inputs(archive, options.seed, made_up); });
  }

  void run() override {
    guarded(name_, [&] {
      const c10::InferenceMode inference;
      for (const auto& [tensor, value] : given_) tensors_[tensor] = value;
      for (std::size_t i = 0; i < steps_.size(); ++i) step_us_[i] = run_step(steps_[i]);
    });
  }

  std::span<const double> step_us() const override { return step_us_; }

 private:
  struct AtomStep {
    Program program;
    const graph::Atom* atom = nullptr;
    std::vector<int> last_used;  // tensors that no later step needs
  };

  void give_inputs(const archive::Reader& archive, std::uint64_t seed, MadeUpIntegers integers) {
    at::Generator generator = at::make_generator<at::CPUGeneratorImpl>(seed);
    const v1::Manifest& manifest = archive.manifest();
    given_.clear();
    for (int i = 0; i < manifest.tensors_size(); ++i) {
      const v1::Tensor& tensor = manifest.tensors(i);
      if (tensor.role() == v1::INTERMEDIATE) continue;
      AtomInput input{tensor.type(), ""};
      if (!tensor.record().empty()) input.weight_record = archive.read_weight(tensor);
      given_.emplace_back(i, make_input(input, generator, device_, integers));
    }
  }

  void add_step(const archive::Reader& archive, int index) {
    const graph::Atom& atom = archive.graph().atoms()[index];
    AtomStep step{{archive.read_atom(archive.manifest().atoms(index)), device_}, &atom, {}};
    for (const auto* tensors : {&atom.inputs, &atom.outputs}) {
      for (const int tensor : *tensors) {
        const std::vector<int>& consumers = archive.graph().tensors()[tensor].consumers;
        if (consumers.empty() || consumers.back() == index) step.last_used.push_back(tensor);
      }
    }
    steps_.push_back(std::move(step));
  }

  double run_step(AtomStep& step) {
    std::vector<c10::IValue> inputs;
    for (const int tensor : step.atom->inputs) inputs.push_back(tensors_[tensor]);
    const double start = clock_.wall_us();
    c10::IValue result = step.program.run(std::move(inputs));
    finish(device_);
    const double us = clock_.wall_us() - start;
    const std::vector<int>& outputs = step.atom->outputs;
    std::vector<at::Tensor> results = torchscript::results_of(result, outputs.size());
    for (std::size_t i = 0; i < outputs.size(); ++i) tensors_[outputs[i]] = std::move(results[i]);
    for (const int tensor : step.last_used) tensors_[tensor] = c10::IValue();
    return us;
  }

  std::string name_;
  const machine::Clock& clock_;
  at::Device device_;
  std::vector<std::pair<int, c10::IValue>> given_;  // inputs, shared weights, first state
  std::vector<AtomStep> steps_;
  std::vector<c10::IValue> tensors_;  // while it runs
  std::vector<double> step_us_;
};

// The text between the first `before` and the next of the characters `end`.
std::string text_after(const std::string& text, const std::string& before, const char* end) {
  const std::size_t start = text.find(before);
  if (start == std::string::npos) return "";
  const std::size_t first = start + before.size();
  return text.substr(first, text.find_first_of(end, first) - first);
}

std::string blas_name(const std::string& config) {
  // Debian's LibTorch uses whichever BLAS the system has, and only that one knows its name.
  using GetConfig = char* (*)();
  if (void* symbol = ::dlsym(RTLD_DEFAULT, "openblas_get_config")) {
    std::string name = reinterpret_cast<GetConfig>(symbol)();
    const char* timeout = std::getenv("OPENBLAS_THREAD_TIMEOUT");
    if (timeout != nullptr) name += fmt::format(", thread timeout {}", printable(timeout));
    return name;
  }
  const std::string mkl = text_after(config, "Intel(R) oneAPI Math Kernel Library Version ", " \n");
  if (!mkl.empty()) return "MKL " + mkl;
  return text_after(config, "BLAS_INFO=", ",\n");
}

std::string openmp_name(const std::string& parallel) {
  std::string name = "OpenMP " + text_after(parallel, "OpenMP ", " \n");
  const char* policy = std::getenv("OMP_WAIT_POLICY");
  name += fmt::format(", wait policy {}", policy == nullptr ? "not set" : printable(policy));
  if (const char* spins = std::getenv("GOMP_SPINCOUNT")) {
    name += fmt::format(" after {} spins", printable(spins));
  }
  return name;
}

}  // namespace

std::string libtorch_version() { return TORCH_VERSION; }

machine::Libraries loaded_libraries() {
  return guarded("LibTorch", [] {
    const std::string config = at::show_config();
    machine::Libraries libraries;
    libraries.libtorch = libtorch_version();
    libraries.blas = blas_name(config);
    libraries.onednn = text_after(config, "MKL-DNN v", " \n");
    libraries.openmp = openmp_name(at::get_parallel_info());
    return libraries;
  });
}

void set_threads(unsigned threads) {
  at::set_num_threads(static_cast<int>(threads));
  using SetThreads = void (*)(int);
  if (void* symbol = ::dlsym(RTLD_DEFAULT, "openblas_set_num_threads")) {
    reinterpret_cast<SetThreads>(symbol)(static_cast<int>(threads));
  }
}

void check_device(const std::string& device) {
  if (device.empty() || device == "cpu") return;
  const std::string prefix = "cuda:";
  const std::string digits = device.rfind(prefix, 0) == 0 ? device.substr(prefix.size()) : "";
  if (digits.empty() || digits.size() > 3 ||
      digits.find_first_not_of("0123456789") != std::string::npos) {
    fail_with(ErrorKind::kUsage, "--device: '{}' is neither cpu nor cuda:N", printable(device));
  }
  if (!at::hasCUDA()) {
    fail("--device: no {}: LibTorch {} here is built without CUDA, or there is no GPU", device,
         libtorch_version());
  }
  const long count = at::detail::getCUDAHooks().getNumGPUs();
  if (std::stol(digits) >= count) fail("--device: no {}: {} GPUs here", device, count);
}

std::unique_ptr<Runnable> load_atom(const AtomProgram& program, const RunnerOptions& options) {
  return guarded(program.name, [&]() -> std::unique_ptr<Runnable> {
    const c10::InferenceMode inference;
    return std::make_unique<TorchAtom>(program, options);
  });
}

std::unique_ptr<Runnable> load_sequence(const archive::Reader& archive, const machine::Clock& clock,
                                        const RunnerOptions& options) {
  return guarded(archive.name(), [&]() -> std::unique_ptr<Runnable> {
    const c10::InferenceMode inference;
    return std::make_unique<TorchSequence>(archive, clock, options);
  });
}

}  // namespace adamec::measure
