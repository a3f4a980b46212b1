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
                                                    "log_second_input"};

double elements(const v1::TensorType& type) {
  double count = 1;
  for (const auto size : type.shape()) count *= static_cast<double>(size);
  return count;
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
  if (rank >= 4) row.set(kKernelHeight, static_cast<double>(weight.shape(rank - 2)));
  if (rank >= 3) row.set(kKernelWidth, static_cast<double>(weight.shape(rank - 1)));
}

void set_pair(Row& row, const v1::Argument& argument, Feature first, Feature last) {
  row.set(first, argument.numbers(0));
  row.set(last, argument.numbers(argument.numbers_size() - 1));
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
    row.set(kInner, static_cast<double>(type.shape(type.shape_size() - 1)));
  }
  set_image(row, type, kChannelsIn, kHeightIn, kWidthIn);
}

void set_result(Row& row, const v1::TensorType& type) {
  set_image(row, type, kChannelsOut, kHeightOut, kWidthOut);
  if (type.shape_size() >= 2) row.set(kChannelsOutMod, static_cast<double>(type.shape(1) % 16));
  if (type.shape_size() == 0) return;
  const auto columns = type.shape(type.shape_size() - 1);
  row.set(kColumns, static_cast<double>(columns));
  row.set(kColumnsMod, static_cast<double>(columns % 16));
  if (columns > 0) row.set_log(kLogRows, elements(type) / static_cast<double>(columns));
}

void set_operator(Row& row, const v1::Operator& op) {
  int tensors = 0;
  double groups = 1;
  double channels = -1;
  for (const v1::Argument& argument : op.arguments()) {
    if (argument.name() == "groups" && !argument.numbers().empty()) groups = argument.numbers(0);
    if (argument.tensors().empty()) set_literal(row, argument);
    for (const v1::TensorType& type : argument.tensors()) {
      if (tensors == 0) {
        set_input(row, type);
        if (type.shape_size() >= 2) channels = static_cast<double>(type.shape(1));
      }
      if (tensors == 1) row.set_log(kLogSecondInput, elements(type));
      if (argument.name() == "weight") set_kernel(row, type);
      ++tensors;
    }
  }
  row.set(kTensorsIn, tensors);
  row.set(kDepthwise, groups > 1 && groups == channels);
  if (!op.results().empty()) set_result(row, op.results(0));
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
  if (!work.operators->empty()) set_operator(row, (*work.operators)[0]);
}

}  // namespace adamec::predict
