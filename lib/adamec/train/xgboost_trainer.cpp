#include "adamec/train/xgboost_trainer.h"

#include <xgboost/c_api.h>

#include <cmath>
#include <cstdint>
#include <cstdlib>
#include <exception>
#include <limits>
#include <nlohmann/json.hpp>
#include <numeric>
#include <utility>

#include "adamec/base/error.h"

namespace adamec::train {
namespace {

// XGBoost's messages go on with a stack trace after the first line.
void check(int status) {
  if (status == 0) return;
  const std::string message = XGBGetLastError();
  fail("XGBoost: {}", printable(message.substr(0, message.find('\n')), 300));
}

struct MatrixHandle {
  DMatrixHandle handle = nullptr;

  explicit MatrixHandle(const Matrix& rows) {
    check(XGDMatrixCreateFromMat(rows.values.data(), rows.rows(), rows.columns,
                                 std::numeric_limits<float>::quiet_NaN(), &handle));
  }
  ~MatrixHandle() { XGDMatrixFree(handle); }
  MatrixHandle(const MatrixHandle&) = delete;
  MatrixHandle& operator=(const MatrixHandle&) = delete;
};

// Feeds pages to XGBoost, which calls back from C: no exception may leave.
class PageIterator {
 public:
  explicit PageIterator(const PageSource& source) : source_(source) {
    check(XGProxyDMatrixCreate(&proxy_));
  }
  ~PageIterator() { XGDMatrixFree(proxy_); }
  PageIterator(const PageIterator&) = delete;
  PageIterator& operator=(const PageIterator&) = delete;

  DMatrixHandle proxy() const { return proxy_; }
  double mean_label() const { return count_ == 0 ? 0 : sum_ / static_cast<double>(count_); }
  const std::string& error() const { return error_; }

  static void reset(DataIterHandle self) { static_cast<PageIterator*>(self)->index_ = 0; }
  static int next(DataIterHandle self) {
    try {
      return static_cast<PageIterator*>(self)->advance() ? 1 : 0;
    } catch (const std::exception& error) {
      static_cast<PageIterator*>(self)->error_ = error.what();
      return 0;
    }
  }

 private:
  bool advance() {
    page_ = {};
    if (!source_(index_, page_) || page_.labels.empty()) return false;
    const std::string array =
        fmt::format(R"({{"data": [{}, true], "shape": [{}, {}], "typestr": "<f4", "version": 3}})",
                    reinterpret_cast<std::uintptr_t>(page_.rows.values.data()), page_.rows.rows(),
                    page_.rows.columns);
    check(XGProxyDMatrixSetDataDense(proxy_, array.c_str()));
    check(XGDMatrixSetFloatInfo(proxy_, "label", page_.labels.data(), page_.labels.size()));
    if (index_ == seen_) {  // labels count once, however often XGBoost comes by
      for (const float label : page_.labels) sum_ += label;
      count_ += page_.labels.size();
      ++seen_;
    }
    ++index_;
    return true;
  }

  const PageSource& source_;
  DMatrixHandle proxy_ = nullptr;
  Page page_;  // XGBoost reads it until the next call
  std::size_t index_ = 0;
  std::size_t seen_ = 0;
  double sum_ = 0;
  std::size_t count_ = 0;
  std::string error_;
};

void set_parameters(BoosterHandle booster, const BoostOptions& options, float mean) {
  const auto set = [&](const char* name, const std::string& value) {
    check(XGBoosterSetParam(booster, name, value.c_str()));
  };
  set("verbosity", "0");
  set("nthread", "1");
  set("objective", options.log_of_mean ? "reg:gamma" : "reg:squarederror");
  set("tree_method", "hist");
  set("max_bin", "64");
  set("base_score", fmt::format("{}", mean));
  set("max_depth", fmt::format("{}", options.depth));
  set("eta", fmt::format("{}", options.learning_rate));
  set("lambda", fmt::format("{}", options.l2));
  set("subsample", fmt::format("{}", options.rows_per_tree));
  set("colsample_bytree", fmt::format("{}", options.columns_per_tree));
  set("min_child_weight", fmt::format("{}", options.least_child_rows));
  set("seed", fmt::format("{}", options.seed & 0x7fffffff));
  if (!options.monotone.empty()) {
    set("monotone_constraints", fmt::format("({})", fmt::join(options.monotone, ",")));
  }
}

// Appends one tree of XGBoost's JSON model, nodes renumbered from the root down.
void append_tree(const nlohmann::json& tree, v1::TreeEnsemble& ensemble) {
  const auto& left = tree.at("left_children");
  const auto& right = tree.at("right_children");
  std::vector<std::size_t> nodes{0};  // ours to theirs
  ensemble.add_tree_start(static_cast<std::uint32_t>(ensemble.feature_size()));
  for (std::size_t i = 0; i < nodes.size(); ++i) {
    const std::size_t node = nodes[i];
    const bool leaf = left.at(node).get<int>() == -1;
    ensemble.add_feature(leaf ? -1 : tree.at("split_indices").at(node).get<int>());
    ensemble.add_threshold(tree.at("split_conditions").at(node).get<float>());
    ensemble.add_left(leaf ? 0 : static_cast<std::uint32_t>(nodes.size()));
    ensemble.add_right(leaf ? 0 : static_cast<std::uint32_t>(nodes.size() + 1));
    ensemble.add_missing_left(!leaf && tree.at("default_left").at(node).get<int>() != 0);
    if (leaf) continue;
    nodes.push_back(left.at(node).get<std::size_t>());
    nodes.push_back(right.at(node).get<std::size_t>());
  }
}

}  // namespace

struct BoostedTrees::Handles {
  BoosterHandle booster = nullptr;
  DMatrixHandle paged = nullptr;  // while training from pages
  ~Handles() {
    if (booster != nullptr) XGBoosterFree(booster);
    if (paged != nullptr) XGDMatrixFree(paged);
  }
};

BoostedTrees::BoostedTrees(const Matrix& rows, std::span<const float> labels,
                           const BoostOptions& options, std::span<const float> weights)
    : handles_(std::make_unique<Handles>()) {
  const MatrixHandle matrix(rows);
  check(XGDMatrixSetFloatInfo(matrix.handle, "label", labels.data(), labels.size()));
  if (!weights.empty()) {
    check(XGDMatrixSetFloatInfo(matrix.handle, "weight", weights.data(), weights.size()));
  }
  check(XGBoosterCreate(&matrix.handle, 1, &handles_->booster));
  const double sum = std::accumulate(labels.begin(), labels.end(), 0.0);
  set_parameters(handles_->booster, options,
                 static_cast<float>(sum / static_cast<double>(labels.size())));
  for (int round = 0; round < options.rounds; ++round) {
    check(XGBoosterUpdateOneIter(handles_->booster, round, matrix.handle));
  }
}

BoostedTrees::BoostedTrees(const PageSource& source, const std::string& cache_prefix,
                           const BoostOptions& options)
    : handles_(std::make_unique<Handles>()) {
  PageIterator pages(source);
  const nlohmann::json config = {{"missing", std::numeric_limits<float>::quiet_NaN()},
                                 {"cache_prefix", cache_prefix},
                                 {"nthread", 1}};
  // nlohmann writes null for NaN, XGBoost's own JSON has a word for it.
  std::string text = config.dump();
  text.replace(text.find("null"), 4, "NaN");
  DMatrixHandle& matrix = handles_->paged;
  const int status = XGDMatrixCreateFromCallback(&pages, pages.proxy(), PageIterator::reset,
                                                 PageIterator::next, text.c_str(), &matrix);
  if (!pages.error().empty()) fail("{}", pages.error());
  check(status);
  check(XGBoosterCreate(&matrix, 1, &handles_->booster));
  set_parameters(handles_->booster, options, static_cast<float>(pages.mean_label()));
  for (int round = 0; round < options.rounds; ++round) {
    check(XGBoosterUpdateOneIter(handles_->booster, round, matrix));
  }
  if (!pages.error().empty()) fail("{}", pages.error());
  // The booster may hold on to the matrix, and the matrix calls the pages: keep the model only.
  const char* bytes = nullptr;
  bst_ulong length = 0;
  check(XGBoosterSaveModelToBuffer(handles_->booster, R"({"format": "ubj"})", &length, &bytes));
  const std::string model(bytes, length);
  XGBoosterFree(std::exchange(handles_->booster, nullptr));
  XGDMatrixFree(std::exchange(matrix, nullptr));
  check(XGBoosterCreate(nullptr, 0, &handles_->booster));
  check(XGBoosterLoadModelFromBuffer(handles_->booster, model.data(), model.size()));
}

BoostedTrees::~BoostedTrees() = default;

v1::TreeEnsemble BoostedTrees::ensemble() const {
  const char* bytes = nullptr;
  bst_ulong length = 0;
  check(XGBoosterSaveModelToBuffer(handles_->booster, R"({"format": "json"})", &length, &bytes));
  v1::TreeEnsemble ensemble;
  try {
    const auto model = nlohmann::json::parse(bytes, bytes + length);
    const auto& learner = model.at("learner");
    const auto& base = learner.at("learner_model_param").at("base_score");
    const float mean = std::strtof(base.get<std::string>().c_str(), nullptr);
    const bool log_of_mean = learner.at("objective").at("name") == "reg:gamma";
    ensemble.set_base_score(log_of_mean ? std::log(mean) : mean);
    for (const auto& tree : learner.at("gradient_booster").at("model").at("trees")) {
      append_tree(tree, ensemble);
    }
  } catch (const nlohmann::json::exception& error) {
    fail("XGBoost: its model is not in the expected form: {}", printable(error.what()));
  }
  return ensemble;
}

std::vector<float> BoostedTrees::predict(const Matrix& rows) const {
  const MatrixHandle matrix(rows);
  const bst_ulong* shape = nullptr;
  bst_ulong dimensions = 0;
  const float* values = nullptr;
  check(XGBoosterPredictFromDMatrix(handles_->booster, matrix.handle,
                                    R"({"type": 0, "training": false, "iteration_begin": 0,
                                        "iteration_end": 0, "strict_shape": false})",
                                    &shape, &dimensions, &values));
  return {values, values + rows.rows()};
}

std::string xgboost_version() {
  int major = 0;
  int minor = 0;
  int patch = 0;
  XGBoostVersion(&major, &minor, &patch);
  return fmt::format("{}.{}.{}", major, minor, patch);
}

}  // namespace adamec::train
