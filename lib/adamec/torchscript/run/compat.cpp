#include "adamec/torchscript/run/compat.h"

#include <ATen/native/ConvUtils.h>
#include <c10/core/Allocator.h>
#include <c10/util/Flags.h>
#include <c10/util/Logging.h>
#include <c10/util/ThreadLocalDebugInfo.h>

#include <algorithm>

#ifndef C10_USE_GLOG
C10_DECLARE_int(caffe2_log_level);
#endif

namespace adamec::torchscript {
namespace {

#if TORCH_VERSION_MAJOR >= 2
using Total = std::size_t;
using SymbolicInts = std::vector<c10::SymInt>;
SymbolicInts ints(const std::vector<std::int64_t>& values) {
  return SymbolicInts(values.begin(), values.end());
}
#else
using Total = std::int64_t;
const std::vector<std::int64_t>& ints(const std::vector<std::int64_t>& values) { return values; }
#endif

// Follows the bytes LibTorch's allocator holds, from zero.
class PeakReporter : public c10::MemoryReportingInfoBase {
 public:
  void reportMemoryUsage(void*, std::int64_t alloc_size, Total, Total, c10::Device) override {
    held_ += alloc_size;
    peak_ = std::max(peak_, held_);
  }
  bool memoryProfilingEnabled() const override { return true; }
  std::uint64_t peak() const { return static_cast<std::uint64_t>(peak_); }

 private:
  std::int64_t held_ = 0;
  std::int64_t peak_ = 0;
};

const char* name_of(at::native::ConvBackend backend) {
  using at::native::ConvBackend;
  switch (backend) {
    case ConvBackend::Empty:
      return "Empty";
    case ConvBackend::Mkldnn:
      return "Mkldnn";
    case ConvBackend::MkldnnEmpty:
      return "MkldnnEmpty";
    case ConvBackend::NnpackSpatial:
      return "NnpackSpatial";
    case ConvBackend::Overrideable:
      return "Overrideable";
    case ConvBackend::Slow2d:
      return "Slow2d";
    case ConvBackend::Slow3d:
      return "Slow3d";
    case ConvBackend::SlowDilated2d:
      return "SlowDilated2d";
    case ConvBackend::SlowDilated3d:
      return "SlowDilated3d";
    case ConvBackend::SlowTranspose2d:
      return "SlowTranspose2d";
    case ConvBackend::SlowTranspose3d:
      return "SlowTranspose3d";
    case ConvBackend::Winograd3x3Depthwise:
      return "Winograd3x3Depthwise";
    case ConvBackend::Xnnpack2d:
      return "Xnnpack2d";
    default:
      return "Other";
  }
}

#if TORCH_VERSION_MAJOR >= 2
namespace warnings = c10::WarningUtils;
#else
namespace warnings = c10::Warning;
#endif

struct DropWarnings : c10::WarningHandler {
#if TORCH_VERSION_MAJOR >= 2
  void process(const c10::Warning&) override {}
#else
  void process(const c10::SourceLocation&, const std::string&, bool) override {}
#endif
};

// The lowest level of messages that LibTorch logs.
auto& log_level() {
#ifdef C10_USE_GLOG
  return FLAGS_minloglevel;
#else
  return FLAGS_caffe2_log_level;
#endif
}
constexpr int kErrors = 2;  // of either

}  // namespace

std::string convolution_backend(const ConvolutionArguments& a) {
#if TORCH_VERSION_MAJOR >= 2
  const std::optional<at::Tensor> bias =
      a.bias.defined() ? std::optional<at::Tensor>(a.bias) : std::nullopt;
  return name_of(at::native::select_conv_backend(
      a.input, a.weight, bias, ints(a.stride), ints(a.padding), ints(a.dilation), a.transposed,
      ints(a.output_padding), c10::SymInt(a.groups), at::OptionalSymIntArrayRef()));
#else
  c10::optional<at::Tensor> bias;
  if (a.bias.defined()) bias = a.bias;
  return name_of(at::native::select_conv_backend(a.input, a.weight, bias, ints(a.stride),
                                                 ints(a.padding), ints(a.dilation), a.transposed,
                                                 ints(a.output_padding), a.groups));
#endif
}

bool tagged_dynamic_shape(const jit::Node& node) {
  const auto* schema = node.maybeSchema();
  if (schema == nullptr) return false;
  const auto handle = c10::Dispatcher::singleton().findSchema(schema->operator_name());
  return handle.has_value() && handle->hasTag(at::Tag::dynamic_output_shape);
}

std::uint64_t peak_allocated_bytes(const std::function<void()>& work) {
  const auto reporter = std::make_shared<PeakReporter>();
  {
    const c10::DebugInfoGuard guard(c10::DebugInfoKind::PROFILER_STATE, reporter);
    work();
  }
  return reporter->peak();
}

std::shared_ptr<void> silence_warnings() {
  static DropWarnings drop;
  c10::WarningHandler* const before = warnings::get_warning_handler();
  const int level_before = log_level();
  warnings::set_warning_handler(&drop);
  log_level() = kErrors;
  return {&drop, [before, level_before](void*) {
            warnings::set_warning_handler(before);
            log_level() = level_before;
          }};
}

}  // namespace adamec::torchscript
