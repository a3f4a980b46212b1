#pragma once

#include <cstdint>
#include <unordered_map>

#include "adamec/torchscript/run/libtorch.h"

namespace adamec::torchscript {

// To which memory something has happened, and when. Time counts what is noted.
class MemoryLog {
 public:
  [[nodiscard]] std::uint64_t now() const { return time_; }
  // Tensors without storage (sparse ones, undefined ones) are left alone.
  void note(const at::Tensor& tensor);
  // Whether it has happened to the tensor's memory, ever or after that time.
  [[nodiscard]] bool noted(const at::Tensor& tensor) const { return noted_since(tensor, 0); }
  [[nodiscard]] bool noted_since(const at::Tensor& tensor, std::uint64_t time) const;

 private:
  struct Last {
    std::uint64_t time = 0;
    // Not the memory itself, but its address is not given to another while this is here.
    c10::weak_intrusive_ptr<c10::StorageImpl> storage;
  };
  std::uint64_t time_ = 0;
  std::unordered_map<const void*, Last> last_;
};

// Identifies the memory that the tensor is a view of; nullptr: it has none.
[[nodiscard]] const void* storage_of(const at::Tensor& tensor);

}  // namespace adamec::torchscript
