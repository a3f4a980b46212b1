#include "adamec/predict/features.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>

namespace adamec::predict {
namespace {

enum Feature : std::size_t {
  kCpuLoad = kLoadColumn,
  kLogMacs,
  kLogBytesIn,
  kLogBytesOut,
  kLogWeightBytes,
  kLogIntensity,
  kOperator,
  kBackend,
  kThreads,
  kLogBaseline,
  kDtype,
  kRank,
  kBatch,
  kChannelsIn,
  kChannelsOut,
  kHeightIn,
  kWidthIn,
  kHeightOut,
  kWidthOut,
  kGroups,
  kDepthwise,
  kKernelHeight,
  kKernelWidth,
  kStrideHeight,
  kStrideWidth,
  kPadding,
  kDilation,
  kTransposed,
  kInner,
  kColumns,
  kLogRows,
  kChannelsOutMod,
  kColumnsMod,
  kTensorsIn,
  kOperators,
  kDim,
  kLogSecondInput,
  kLogSteps,
  kLogGemmRows,
  kLogGemmColumns,
  kLogGemmInner,
  kLogBatch,
  kLogKernelHeight,
  kLogKernelWidth,
  kLogStride,
  kLogGroups,
  kAlignedChannels,
  kAlignedGemmColumns,
  kAlignedGemmInner,
  kAlignedColumns,
  kLogRun,
  kSubnormalShare,
  kCount
};

constexpr std::array<const char*, kCount> kNames = {"cpu_load",
                                                    "log_macs",
                                                    "log_bytes_in",
                                                    "log_bytes_out",
                                                    "log_weight_bytes",
                                                    "log_intensity",
                                                    "operator",
                                                    "backend",
                                                    "threads",
                                                    "log_baseline",
                                                    "dtype",
                                                    "rank",
                                                    "batch",
                                                    "channels_in",
                                                    "channels_out",
                                                    "height_in",
                                                    "width_in",
                                                    "height_out",
                                                    "width_out",
                                                    "groups",
                                                    "depthwise",
                                                    "kernel_height",
                                                    "kernel_width",
                                                    "stride_height",
                                                    "stride_width",
                                                    "padding",
                                                    "dilation",
                                                    "transposed",
                                                    "inner",
                                                    "columns",
                                                    "log_rows",
                                                    "channels_out_mod_16",
                                                    "columns_mod_16",
                                                    "tensors_in",
                                                    "operators",
                                                    "dim",
                                                    "log_second_input",
                                                    "log_steps",
                                                    "log_gemm_rows",
                                                    "log_gemm_columns",
                                                    "log_gemm_inner",
                                                    "log_batch",
                                                    "log_kernel_height",
                                                    "log_kernel_width",
                                                    "log_stride",
                                                    "log_groups",
                                                    "aligned_channels",
                                                    "aligned_gemm_columns",
                                                    "aligned_gemm_inner",
                                                    "aligned_columns",
                                                    "log_run",
                                                    "subnormal_share"};

double elements(const v1::TensorType& type) {
  double count = 1;
  for (const auto size : type.shape()) count *= static_cast<double>(size);
  return count;
}

// How well vector instructions of 4, 8 and 16 numbers fit a size.
double aligned(double size) {
  if (std::fmod(size, 4) != 0) return 0;
  if (std::fmod(size, 8) != 0) return 0.25;
  return std::fmod(size, 16) != 0 ? 0.75 : 1.75;
}

// The same for the length that products sum over: rows that lie multiples of a page apart compete
// for the same lines of the cache.
double aligned_rows(double size) {
  if (std::fmod(size, 512) != 0) return aligned(size);
  return std::fmod(size, 1024) != 0 ? 4 : 7;
}

double last_of(const v1::TensorType& type, int back) {
  return static_cast<double>(type.shape(type.shape_size() - back));
}

// Fills the features of one row; anything that is not a finite float becomes missing.
class Row {
 public:
  explicit Row(std::vector<float>& row) : row_(row) {
    row_.assign(kCount, std::numeric_limits<float>::quiet_NaN());
  }
  void set(Feature feature, double value) {
    const auto number = static_cast<float>(value);
    if (std::isfinite(number)) row_[feature] = number;
  }
  void set_log(Feature feature, double value) { set(feature, std::log1p(value)); }

 private:
  std::vector<float>& row_;
};

// Dimension `index` of a tensor, for images of any rank: [batch, channels, ..., height, width].
void set_image(Row& row, const v1::TensorType& type, Feature channels, Feature height,
               Feature width) {
  const int rank = type.shape_size();
  if (rank >= 2) row.set(channels, static_cast<double>(type.shape(1)));
  if (rank >= 4) row.set(height, static_cast<double>(type.shape(rank - 2)));
  if (rank >= 3) row.set(width, static_cast<double>(type.shape(rank - 1)));
}

void set_kernel(Row& row, const v1::TensorType& weight) {
  const int rank = weight.shape_size();
  const auto set = [&](Feature size, Feature log_size, int back) {
    row.set(size, last_of(weight, back));
    row.set(log_size, std::log2(std::max(0.5, last_of(weight, back))));
  };
  if (rank >= 4) set(kKernelHeight, kLogKernelHeight, 2);
  if (rank >= 3) set(kKernelWidth, kLogKernelWidth, 1);
}

void set_pair(Row& row, const v1::Argument& argument, Feature first, Feature last) {
  const double one = argument.numbers(0);
  const double other = argument.numbers(argument.numbers_size() - 1);
  row.set(first, one);
  row.set(last, other);
  if (first == kKernelHeight) {
    row.set(kLogKernelHeight, std::log2(std::max(0.5, one)));
    row.set(kLogKernelWidth, std::log2(std::max(0.5, other)));
  } else {
    row.set(kLogStride, std::log2(std::max(0.5, one)));
  }
}

void set_literal(Row& row, const v1::Argument& argument) {
  const std::string& name = argument.name();
  if (argument.numbers().empty()) {
    if (name == "transposed") row.set(kTransposed, argument.literal() == "True");
  } else if (name == "stride") {
    set_pair(row, argument, kStrideHeight, kStrideWidth);
  } else if (name == "kernel_size") {
    set_pair(row, argument, kKernelHeight, kKernelWidth);
  } else if (name == "padding") {
    row.set(kPadding, argument.numbers(0));
  } else if (name == "dilation") {
    row.set(kDilation, argument.numbers(0));
  } else if (name == "groups") {
    row.set(kGroups, argument.numbers(0));
  } else if (name == "dim") {
    row.set(kDim, argument.numbers(0));
  } else if (name == "transposed") {
    row.set(kTransposed, argument.numbers(0));
  }
}

void set_input(Row& row, const v1::TensorType& type) {
  row.set(kDtype, type.dtype());
  row.set(kRank, type.shape_size());
  if (type.shape_size() > 0) {
    row.set(kBatch, static_cast<double>(type.shape(0)));
    row.set_log(kLogBatch, static_cast<double>(type.shape(0)));
    row.set(kInner, static_cast<double>(type.shape(type.shape_size() - 1)));
  }
  set_image(row, type, kChannelsIn, kHeightIn, kWidthIn);
}

void set_result(Row& row, const v1::TensorType& type) {
  set_image(row, type, kChannelsOut, kHeightOut, kWidthOut);
  if (type.shape_size() >= 2) {
    row.set(kChannelsOutMod, static_cast<double>(type.shape(1) % 16));
    row.set(kAlignedChannels, aligned(static_cast<double>(type.shape(1))));
  }
  if (type.shape_size() == 0) return;
  const auto columns = type.shape(type.shape_size() - 1);
  row.set(kColumns, static_cast<double>(columns));
  row.set(kColumnsMod, static_cast<double>(columns % 16));
  row.set(kAlignedColumns, aligned(static_cast<double>(columns)));
  if (columns > 0) row.set_log(kLogRows, elements(type) / static_cast<double>(columns));
}

// Elements read per element written, for pooling without a kernel size: the input over the output.
double window(const v1::TensorType& input, const v1::TensorType& result) {
  double area = 1;
  for (int back = 1; back <= 2; ++back) {
    if (input.shape_size() < back + 2 || result.shape_size() < back) break;
    area *= std::ceil(last_of(input, back) / std::max(1.0, last_of(result, back)));
  }
  return area;
}

// Elementary steps of operators that multiply nothing: elements, or window positions of pooling.
double steps_of(const v1::Operator& op) {
  const v1::TensorType& result = op.results(0);
  if (op.name().find("pool") == std::string::npos) return elements(result);
  for (const v1::Argument& argument : op.arguments()) {
    if (argument.name() != "kernel_size") continue;
    double area = 1;
    for (const double size : argument.numbers()) area *= size;
    return elements(result) * area;
  }
  const bool has_input = op.arguments_size() > 0 && op.arguments(0).tensors_size() > 0;
  return elements(result) * (has_input ? window(op.arguments(0).tensors(0), result) : 1);
}

// The matrix product that a convolution or a product comes down to: rows x inner x columns.
void set_gemm(Row& row, const v1::Operator& op, const v1::TensorType* kernel, double macs,
              double groups) {
  const v1::TensorType& result = op.results(0);
  const double count = elements(result);
  if (result.shape_size() == 0 || !(count > 0)) return;
  double rows = last_of(result, 1);
  double inner = macs / count;
  if (kernel != nullptr && kernel->shape_size() >= 3 && result.shape_size() >= 3) {
    rows = static_cast<double>(result.shape(1)) / std::max(1.0, groups);
    const auto filters = static_cast<double>(kernel->shape(0));
    inner = elements(*kernel) / std::max(1.0, filters);
    row.set_log(kLogGemmColumns, count / std::max(1.0, static_cast<double>(result.shape(1))));
    row.set(kAlignedGemmColumns, aligned(count / std::max<double>(1, result.shape(1))));
  } else if (macs > 0) {
    row.set_log(kLogGemmColumns, count / std::max(1.0, rows));
    row.set(kAlignedGemmColumns, aligned(count / std::max(1.0, rows)));
  } else {
    return;
  }
  row.set_log(kLogGemmRows, rows);
  row.set_log(kLogGemmInner, inner);
  // A vector's product reads every row once.
  row.set(kAlignedGemmInner, count == rows ? aligned(inner) : aligned_rows(inner));
}

// Elements that lie side by side in memory, of a tensor that is not contiguous.
double run_of(const v1::TensorType& type) {
  std::int64_t run = 1;
  if (type.strides_size() != type.shape_size()) return 1;
  for (int i = type.shape_size() - 1; i >= 0; --i) {
    if (type.shape(i) == 1) continue;
    if (type.strides(i) != run) break;
    run *= type.shape(i);
  }
  return static_cast<double>(run);
}

void set_operator(Row& row, const v1::Operator& op, double macs) {
  int tensors = 0;
  double groups = 1;
  double channels = -1;
  double subnormal_share = 0;
  bool strided = false;
  const v1::TensorType* kernel = nullptr;
  for (const v1::Argument& argument : op.arguments()) {
    if (argument.name() == "groups" && !argument.numbers().empty()) groups = argument.numbers(0);
    if (argument.tensors().empty()) set_literal(row, argument);
    for (const v1::TensorType& type : argument.tensors()) {
      if (type.subnormal_permille() > 0) {
        subnormal_share = type.subnormal_permille() / 1e3;
        row.set(kSubnormalShare, subnormal_share);
      }
      if (!strided && !argument.weight() && !type.strides().empty()) {
        strided = true;
        row.set_log(kLogRun, run_of(type));
      }
      if (tensors == 0) {
        set_input(row, type);
        if (type.shape_size() >= 2) channels = static_cast<double>(type.shape(1));
      }
      if (tensors == 1) row.set_log(kLogSecondInput, elements(type));
      if (argument.name() == "weight") {
        set_kernel(row, type);
        kernel = &type;
      }
      ++tensors;
    }
  }
  row.set(kTensorsIn, tensors);
  row.set(kDepthwise, groups > 1 && groups == channels);
  row.set(kLogGroups, std::log2(std::max(1.0, groups)));
  if (op.results().empty()) return;
  set_result(row, op.results(0));
  const double steps = macs > 0 ? macs : steps_of(op);
  row.set_log(kLogSteps, subnormal_share > 0 ? subnormal_share * steps : steps);
  set_gemm(row, op, kernel, macs, groups);
}

}  // namespace

const std::vector<std::string>& feature_names() {
  static const std::vector<std::string> names(kNames.begin(), kNames.end());
  return names;
}

void fill_features(const Work& work, const RowContext& context, std::vector<float>& values) {
  Row row(values);
  row.set_log(kLogMacs, work.macs);
  row.set_log(kLogBytesIn, work.bytes_in);
  row.set_log(kLogBytesOut, work.bytes_out);
  row.set_log(kLogWeightBytes, work.weight_bytes);
  row.set_log(kLogIntensity, work.macs / std::max(1.0, work.bytes()));
  if (context.operator_index >= 0) row.set(kOperator, context.operator_index);
  if (context.backend_index >= 0) row.set(kBackend, context.backend_index);
  row.set(kThreads, context.threads);
  row.set(kCpuLoad, context.cpu_load);
  row.set(kLogBaseline, context.log_baseline_us);
  row.set(kOperators, work.operators->size());
  if (!work.operators->empty()) set_operator(row, (*work.operators)[0], work.macs);
}

int shape_family(std::span<const float> row) {
  if (row[kDepthwise] == 1) return 1;
  return row[kKernelHeight] == 1 && row[kKernelWidth] == 1 ? 2 : 0;
}

std::string work_key(const Work& work) {
  std::vector<float> row;
  fill_features(work, {}, row);
  row[kTransposed] = 0;  // part of the class
  for (float& value : row) {
    if (std::isnan(value)) value = -1;  // there are several bit patterns
  }
  std::string key = work.class_key;
  key.append(reinterpret_cast<const char*>(row.data()), row.size() * sizeof(float));
  return key;
}

}  // namespace adamec::predict
