#include "adamec/torchscript/run/record.h"

#include <algorithm>
#include <cstring>

namespace adamec::torchscript {

namespace {

class MemoryFile : public caffe2::serialize::ReadAdapterInterface {
 public:
  explicit MemoryFile(std::string_view bytes) : bytes_(bytes) {}
  std::size_t size() const override { return bytes_.size(); }
  std::size_t read(std::uint64_t position, void* buffer, std::size_t count,
                   const char*) const override {
    if (position >= bytes_.size()) return 0;
    count = std::min<std::size_t>(count, bytes_.size() - position);
    std::memcpy(buffer, bytes_.data() + position, count);
    return count;
  }

 private:
  std::string_view bytes_;
};

}  // namespace

std::shared_ptr<caffe2::serialize::ReadAdapterInterface> memory_file(std::string_view bytes) {
  return std::make_shared<MemoryFile>(bytes);
}

jit::Module load_record(std::string_view bytes, const c10::Device& device) {
  return jit::load(memory_file(bytes), device);
}

}  // namespace adamec::torchscript
