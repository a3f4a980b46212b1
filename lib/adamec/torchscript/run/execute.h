#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "adamec/base/error.h"
#include "adamec/torchscript/run/libtorch.h"
#include "adamec/v1/archive.pb.h"

namespace adamec::torchscript {

// An atom's file cannot be loaded or run.
struct BrokenAtom : Error {
  using Error::Error;
};

// Runs the atoms of a manifest one after the other, as separate modules loaded from their records.
class AtomExecutor {
 public:
  // The bytes of a record, by its name; they live as long as the executor.
  using ReadRecord = std::function<std::string_view(const std::string& record)>;
  // Called around each atom: must call `run` once.
  using AroundAtom = std::function<void(int atom, const std::function<void()>& run)>;
  // Called with each tensor that an atom made.
  using OnTensor = std::function<void(const std::string& id, const at::Tensor& tensor)>;

  // `keep_modules`: modules stay loaded from one run to the next (STATEFUL atoms need that).
  AtomExecutor(const v1::Manifest& manifest, ReadRecord read, bool keep_modules);

  // `arguments` as the model's method takes them, without self. Tensors that no later atom needs
  // are dropped; state is kept for the next run. Throws BrokenAtom naming the atom that fails, and
  // Error for arguments that differ in number, type, shape or (what is no tensor) value from those
  // the archive was made with.
  void run(const std::vector<c10::IValue>& arguments, const AroundAtom& around = {},
           const OnTensor& on_tensor = {});

  // Compares the last run's results with what the model itself returned, bit by bit. Returns what
  // differs, empty when nothing does.
  [[nodiscard]] std::string difference(const c10::IValue& expected) const;

 private:
  void bind_inputs(const std::vector<c10::IValue>& arguments);
  void bind_input(const v1::Value& value, const c10::IValue& argument, const std::string& where);
  void bind_tensor(const std::string& id, const at::Tensor& tensor, const std::string& where);
  void load_weights();
  void run_atom(int index, const AroundAtom& around, const OnTensor& on_tensor);
  void keep_state();
  void hold(const v1::Value& value);

  const v1::Manifest& manifest_;
  ReadRecord read_;
  bool keep_modules_;
  std::unordered_map<std::string, const v1::Tensor*> described_;
  std::unordered_map<std::string, std::int64_t> open_sizes_;  // of this run, by name
  std::unordered_map<std::string, int> last_use_;  // atom after which a tensor is dropped
  std::unordered_map<std::string, at::Tensor> tensors_;
  std::unordered_map<std::string, at::Tensor> state_;  // before the next run
  std::unordered_map<std::string, jit::Module> modules_;
};

// The tensors that an atom's forward() returned: one, or a tuple of them.
[[nodiscard]] std::vector<at::Tensor> results_of(const c10::IValue& returned, std::size_t count);

// Whether two tensors have the same type, shape and bits.
[[nodiscard]] bool bit_identical(const at::Tensor& a, const at::Tensor& b);

}  // namespace adamec::torchscript
