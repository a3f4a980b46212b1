#pragma once

#include <caffe2/serialize/file_adapter.h>

#include <memory>
#include <string_view>

#include "adamec/torchscript/run/libtorch.h"

namespace adamec::torchscript {

// A TorchScript module from the bytes of a record, its weights on the device.
[[nodiscard]] jit::Module load_record(std::string_view bytes,
                                      const c10::Device& device = c10::kCPU);

// Bytes in memory as a file for LibTorch's reader; they must outlive it.
[[nodiscard]] std::shared_ptr<caffe2::serialize::ReadAdapterInterface> memory_file(
    std::string_view bytes);

}  // namespace adamec::torchscript
