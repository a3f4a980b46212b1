#include "adamec/torchscript/load/load.h"

#include <caffe2/serialize/file_adapter.h>
#include <dlfcn.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <future>
#include <string_view>

#include "adamec/base/error.h"
#include "adamec/base/file.h"
#include "adamec/base/sha256.h"
#include "adamec/torchscript/run/message.h"
#include "adamec/torchscript/run/record.h"

namespace adamec::torchscript {
namespace {

constexpr std::size_t kMagicBytes = 64;

void check_magic(const std::string& name, std::string_view bytes) {
  const auto starts_with = [&](std::string_view prefix) {
    return bytes.substr(0, prefix.size()) == prefix;
  };
  if (bytes.empty()) fail("{}: the file is empty, expected a TorchScript model", name);
  if (starts_with("PK\x03\x04")) return;
  if (starts_with("version https://git-lfs")) {
    fail("{}: a Git-LFS pointer, not the model itself; fetch it with 'git lfs pull'", name);
  }
  if (starts_with("\x80\x02")) {
    fail(
        "{}: a Python pickle (a state dict or an old checkpoint), expected a TorchScript model "
        "saved by torch.jit.save",
        name);
  }
  fail("{}: not a zip file, expected a TorchScript model saved by torch.jit.save", name);
}

using Bytes = std::shared_ptr<caffe2::serialize::ReadAdapterInterface>;

std::string first_bytes(const std::string& path, std::size_t count) {
  std::ifstream file(path, std::ios::binary);
  if (!file) fail("{}: cannot open: {}", path, std::strerror(errno));
  std::string bytes(count, '\0');
  file.read(bytes.data(), static_cast<std::streamsize>(count));
  bytes.resize(static_cast<std::size_t>(file.gcount()));
  return bytes;
}

void check_zip(const std::string& name, const Bytes& file) {
  bool is_program = false;
  bool is_checkpoint = false;
  try {
    caffe2::serialize::PyTorchStreamReader reader(file);
    is_program = reader.hasRecord("constants.pkl") && reader.hasRecord("data.pkl");
    is_checkpoint = !is_program && reader.hasRecord("data.pkl");
  } catch (const std::exception& error) {
    fail("{}: a damaged or truncated zip file: {}", name, reason_of(error));
  }
  if (is_checkpoint) {
    fail(
        "{}: a checkpoint written by torch.save (a state dict or tensors), expected a TorchScript "
        "model saved by torch.jit.save",
        name);
  }
  if (!is_program) fail("{}: a zip file, but not a TorchScript model (no constants.pkl)", name);
}

// A trace made on a GPU names that GPU wherever it makes a tensor: the model is to run on the CPU.
void move_device_constants_to_cpu(jit::Block* block) {
  for (jit::Node* node : block->nodes()) {
    if (node->kind() == c10::prim::Constant &&
        node->output()->type()->kind() == c10::TypeKind::DeviceObjType &&
        node->hasAttribute(c10::attr::value)) {
      node->s_(c10::attr::value, "cpu");
    }
    for (jit::Block* inner : node->blocks()) move_device_constants_to_cpu(inner);
  }
}

[[noreturn]] void fail_to_load(const std::string& name, const std::exception& error) {
  const std::string text = error.what();
  constexpr std::string_view kMarks[] = {"Unknown builtin op: ",
                                         "Unknown type name '__torch__.torch.classes."};
  for (const std::string_view mark : kMarks) {
    const auto at = text.find(mark);
    if (at == std::string::npos) continue;
    const auto begin = at + mark.size();
    auto op = text.substr(begin, text.find_first_of("'\n ", begin) - begin);
    while (!op.empty() && op.back() == '.') op.pop_back();
    fail(
        "{}: needs the operator library of '{}', which is not part of LibTorch {}; give it with "
        "--load-library",
        name, printable(op), TORCH_VERSION);
  }
  fail("{}: LibTorch {} cannot load it: {}", name, TORCH_VERSION, reason_of(error));
}

}  // namespace

// A file on disk is read by LibTorch itself, piece by piece; a pipe must be read first.
ModelFile::ModelFile(std::string path)
    : path_(std::move(path)), pipe_(!std::filesystem::is_regular_file(path_)) {
  if (pipe_) bytes_ = read_file(path_);
}

LoadedModel ModelFile::load() {
  const std::string name = display_name(path_);
  check_magic(name, pipe_ ? bytes_.substr(0, kMagicBytes) : first_bytes(path_, kMagicBytes));
  const Bytes file =
      pipe_ ? memory_file(bytes_) : std::make_shared<caffe2::serialize::FileAdapter>(path_);
  check_zip(name, file);
  // Hashing takes about as long as loading, so they share the time.
  std::future<std::string> hash = std::async(std::launch::async, [&] {
    if (!sha256_.empty()) return sha256_;
    return pipe_ ? sha256_hex(bytes_) : sha256_file(path_);
  });
  LoadedModel model;
  try {
    model.module = jit::load(file, c10::Device(c10::kCPU));
    model.module.eval();
    for (jit::Function* function : model.module._ivalue()->compilation_unit()->get_functions()) {
      move_device_constants_to_cpu(jit::toGraphFunction(*function).graph()->block());
    }
  } catch (const std::exception& error) {
    fail_to_load(name, error);
  }
  const std::string file_name =
      path_ == "-" ? "stdin" : std::filesystem::path(path_).filename().string();
  model.name = file_name.substr(0, file_name.find('.', 1));
  model.sha256 = sha256_ = hash.get();
  model.bytes = file->size();
  return model;
}

LoadedModel load_model(const std::string& path) { return ModelFile(path).load(); }

void load_operator_library(const std::string& path) {
  if (::dlopen(path.c_str(), RTLD_NOW | RTLD_GLOBAL) == nullptr) {
    fail("{}: cannot load the operator library: {}", path, printable(::dlerror(), 300));
  }
}

}  // namespace adamec::torchscript
