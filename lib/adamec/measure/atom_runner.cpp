#include "adamec/measure/atom_runner.h"

#include <ATen/CPUGeneratorImpl.h>
#include <ATen/Config.h>
#include <ATen/Parallel.h>
#include <ATen/Version.h>
#include <dlfcn.h>
#include <torch/script.h>
#include <torch/version.h>

#include <cstdlib>
#include <sstream>
#include <utility>
#include <vector>

#include "adamec/base/error.h"

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
  const std::vector<std::int64_t> shape(type.shape().begin(), type.shape().end());
  const at::ScalarType dtype = scalar_type(type.dtype());
  if (at::isQIntType(dtype)) {
    return at::quantize_per_tensor(at::randn(shape, generator), 0.05, 0, dtype);
  }
  if (at::isIntegralType(dtype, /*includeBool=*/true)) {
    return at::randint(2, shape, generator, at::TensorOptions(at::kLong)).to(dtype);
  }
  if (at::isComplexType(dtype)) {
    return at::randn(shape, generator, at::TensorOptions(dtype));
  }
  return at::randn(shape, generator).to(dtype);
}

torch::jit::Module load_module(const std::string& record) {
  std::istringstream stream(record);
  torch::jit::Module module = torch::jit::load(stream, at::kCPU);
  module.eval();
  try {
    return torch::jit::freeze(module);
  } catch (const std::exception&) {
    return module;  // frozen already, or keeps state: it runs as it is
  }
}

class TorchAtom final : public Runnable {
 public:
  TorchAtom(const AtomProgram& program, std::uint64_t seed)
      : name_(program.name),
        module_(load_module(program.record)),
        method_(module_.get_method("forward")) {
    at::Generator generator = at::make_generator<at::CPUGeneratorImpl>(seed);
    for (const AtomInput& input : program.inputs) {
      if (input.weight_record.empty()) {
        inputs_.emplace_back(random_tensor(input.type, generator));
      } else {
        inputs_.push_back(load_module(input.weight_record).forward({}));
      }
    }
  }

  void run() override {
    guarded(name_, [&] {
      const c10::InferenceMode inference;
      method_(inputs_);
    });
  }

 private:
  std::string name_;
  torch::jit::Module module_;
  torch::jit::Method method_;
  std::vector<c10::IValue> inputs_;
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
    return reinterpret_cast<GetConfig>(symbol)();
  }
  const std::string mkl = text_after(config, "Intel(R) oneAPI Math Kernel Library Version ", " \n");
  if (!mkl.empty()) return "MKL " + mkl;
  return text_after(config, "BLAS_INFO=", ",\n");
}

std::string openmp_name(const std::string& parallel) {
  const char* policy = std::getenv("OMP_WAIT_POLICY");
  return fmt::format("OpenMP {}, wait policy {}", text_after(parallel, "OpenMP ", " \n"),
                     policy == nullptr ? "not set" : printable(policy));
}

}  // namespace

std::string libtorch_version() { return TORCH_VERSION; }

Libraries loaded_libraries() {
  return guarded("LibTorch", [] {
    const std::string config = at::show_config();
    Libraries libraries;
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

std::unique_ptr<Runnable> load_atom(const AtomProgram& program, std::uint64_t seed) {
  return guarded(program.name, [&]() -> std::unique_ptr<Runnable> {
    const c10::InferenceMode inference;
    return std::make_unique<TorchAtom>(program, seed);
  });
}

}  // namespace adamec::measure
