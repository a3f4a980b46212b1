#include "adamec/torchscript/specialise/memory_log.h"

namespace adamec::torchscript {

const void* storage_of(const at::Tensor& tensor) {
  return tensor.defined() && tensor.has_storage() ? tensor.storage().unsafeGetStorageImpl()
                                                  : nullptr;
}

void MemoryLog::note(const at::Tensor& tensor) {
  const void* storage = storage_of(tensor);
  if (storage == nullptr) return;
  const auto [last, first] =
      last_.try_emplace(storage, Last{0, tensor.storage().getWeakStorageImpl()});
  last->second.time = ++time_;
}

bool MemoryLog::noted_since(const at::Tensor& tensor, std::uint64_t time) const {
  const auto last = last_.find(storage_of(tensor));
  return last != last_.end() && last->second.time > time;
}

}  // namespace adamec::torchscript
