#include "adamec/measure/atom_runner.h"

#include <ATen/CPUGeneratorImpl.h>
#include <ATen/Config.h>
#include <ATen/Parallel.h>
#include <ATen/Version.h>
#include <ATen/detail/CUDAHooksInterface.h>
#include <dlfcn.h>
#include <torch/script.h>
#include <torch/version.h>

#include <cstdlib>
#include <map>
#include <sstream>
#include <utility>
#include <vector>

#include "adamec/base/error.h"
#include "adamec/proto/tensor_type.h"
#include "adamec/torchscript/run/made_up_inputs.h"
#include "adamec/torchscript/run/node_visits.h"

namespace adamec::measure {
namespace {

// LibTorch's messages have many lines; the reason stands in the last one that names an error, or
// in the first.
std::string reason(const std::string& message) {
  static constexpr const char* kMark = "Error: ";
  std::istringstream lines(message);
  std::string first;
  std::string chosen;
  for (std::string line; std::getline(lines, line);) {
    if (first.empty()) first = line;
    const std::size_t mark = line.find(kMark);
    if (mark != std::string::npos) chosen = line.substr(mark + std::string(kMark).size());
  }
  return printable(chosen.empty() ? first : chosen, 300);
}

// Calls `work`; whatever LibTorch throws becomes an Error with the name in front.
template <typename Work>
auto guarded(const std::string& name, Work&& work) {
  try {
    return work();
  } catch (const Error&) {
    throw;
  } catch (const c10::Error& error) {
    fail("{}: {}", name, reason(error.what_without_backtrace()));
  } catch (const std::exception& error) {
    fail("{}: {}", name, reason(error.what()));
  }
}

at::ScalarType scalar_type(v1::DataType dtype) {
  switch (dtype) {
    case v1::UINT8:
      return at::kByte;
    case v1::INT8:
      return at::kChar;
    case v1::INT16:
      return at::kShort;
    case v1::INT32:
      return at::kInt;
    case v1::INT64:
      return at::kLong;
    case v1::FLOAT16:
      return at::kHalf;
    case v1::FLOAT32:
      return at::kFloat;
    case v1::FLOAT64:
      return at::kDouble;
    case v1::COMPLEX64:
      return at::kComplexFloat;
    case v1::COMPLEX128:
      return at::kComplexDouble;
    case v1::BOOL:
      return at::kBool;
    case v1::BFLOAT16:
      return at::kBFloat16;
    case v1::QINT8:
      return at::kQInt8;
    case v1::QUINT8:
      return at::kQUInt8;
    case v1::QINT32:
      return at::kQInt32;
    default:
      fail("no dtype known for one of its inputs");
  }
}

at::Tensor random_tensor(const v1::TensorType& type, at::Generator& generator) {
  if (!type.strides().empty()) {  // a view of memory
    const std::vector<std::int64_t> strides(type.strides().begin(), type.strides().end());
    v1::TensorType memory;
    memory.set_dtype(type.dtype());
    memory.add_shape(spanned_elements(type));
    memory.set_subnormal_permille(type.subnormal_permille());
    const std::vector<std::int64_t> shape(type.shape().begin(), type.shape().end());
    return random_tensor(memory, generator).as_strided(shape, strides);
  }
  const std::vector<std::int64_t> shape(type.shape().begin(), type.shape().end());
  const at::ScalarType dtype = scalar_type(type.dtype());
  if (at::isQIntType(dtype)) {
    return at::quantize_per_tensor(torchscript::normal_numbers(shape, generator), 0.05, 0, dtype);
  }
  if (at::isIntegralType(dtype, /*includeBool=*/true)) {
    return at::randint(2, shape, generator, at::TensorOptions(at::kLong)).to(dtype);
  }
  if (at::isComplexType(dtype)) {
    return at::randn(shape, generator, at::TensorOptions(dtype));
  }
  at::Tensor numbers = torchscript::normal_numbers(shape, generator);
  if (dtype == at::kFloat) torchscript::spread_subnormals(numbers, type.subnormal_permille());
  return numbers.to(dtype);
}

at::Device device_of(const std::string& device) {
  return device.empty() ? at::Device(at::kCPU) : at::Device(device);
}

torch::jit::Module load_module(const std::string& record, const at::Device& device) {
  std::istringstream stream(record);
  torch::jit::Module module = torch::jit::load(stream, device);
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

c10::IValue make_input(const AtomInput& input, at::Generator& generator, const at::Device& device) {
  if (!input.weight_record.empty()) return load_module(input.weight_record, device).forward({});
  return random_tensor(input.type, generator).to(device);
}

// Work on other devices goes on after the call has returned.
void finish(const at::Device& device) {
  if (device.is_cuda()) at::detail::getCUDAHooks().deviceSynchronize(device.index());
}

class TorchAtom final : public Runnable {
 public:
  TorchAtom(const AtomProgram& program, const RunnerOptions& options)
      : name_(program.name), device_(device_of(options.device)), program_(program.record, device_) {
    at::Generator generator = at::make_generator<at::CPUGeneratorImpl>(options.seed);
    for (const AtomInput& input : program.inputs) {
      inputs_.push_back(make_input(input, generator, device_));
    }
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
    at::Generator generator = at::make_generator<at::CPUGeneratorImpl>(options.seed);
    const v1::Manifest& manifest = archive.manifest();
    for (int i = 0; i < manifest.tensors_size(); ++i) {
      const v1::Tensor& tensor = manifest.tensors(i);
      if (tensor.role() == v1::INTERMEDIATE) continue;
      AtomInput input{tensor.type(), ""};
      if (!tensor.record().empty()) input.weight_record = archive.read_weight(tensor);
      given_.emplace_back(i, make_input(input, generator, device_));
    }
    for (int i = 0; i < manifest.atoms_size(); ++i) add_step(archive, i);
    step_us_.resize(steps_.size());
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
  struct Step {
    Program program;
    const graph::Atom* atom = nullptr;
    std::vector<int> last_used;  // tensors that no later step needs
  };

  void add_step(const archive::Reader& archive, int index) {
    const graph::Atom& atom = archive.graph().atoms()[index];
    Step step{{archive.read_atom(archive.manifest().atoms(index)), device_}, &atom, {}};
    for (const auto* tensors : {&atom.inputs, &atom.outputs}) {
      for (const int tensor : *tensors) {
        const std::vector<int>& consumers = archive.graph().tensors()[tensor].consumers;
        if (consumers.empty() || consumers.back() == index) step.last_used.push_back(tensor);
      }
    }
    steps_.push_back(std::move(step));
  }

  double run_step(Step& step) {
    std::vector<c10::IValue> inputs;
    for (const int tensor : step.atom->inputs) inputs.push_back(tensors_[tensor]);
    const double start = clock_.wall_us();
    c10::IValue result = step.program.run(std::move(inputs));
    finish(device_);
    const double us = clock_.wall_us() - start;
    const std::vector<int>& outputs = step.atom->outputs;
    if (outputs.size() == 1) {
      tensors_[outputs[0]] = std::move(result);
    } else {
      for (std::size_t i = 0; i < outputs.size(); ++i) {
        tensors_[outputs[i]] = result.toTupleRef().elements().at(i);
      }
    }
    for (const int tensor : step.last_used) tensors_[tensor] = c10::IValue();
    return us;
  }

  std::string name_;
  const machine::Clock& clock_;
  at::Device device_;
  std::vector<std::pair<int, c10::IValue>> given_;  // inputs, shared weights, first state
  std::vector<Step> steps_;
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
