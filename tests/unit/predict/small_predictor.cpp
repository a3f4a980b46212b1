#include "tests/unit/predict/small_predictor.h"

#include <cmath>
#include <string>

namespace adamec::testing {
namespace {

void add_node(v1::TreeEnsemble& trees, int feature, float threshold, unsigned left,
              unsigned right) {
  trees.add_feature(feature);
  trees.add_threshold(threshold);
  trees.add_left(left);
  trees.add_right(right);
  trees.add_missing_left(false);
}

void add_baseline(v1::Predictor& predictor, const std::string& name, double us) {
  v1::Baseline& baseline = *predictor.add_baselines();
  baseline.set_operator_(name);
  baseline.set_threads(1);
  baseline.set_backend("*");
  baseline.set_constant_us(us);
}

}  // namespace

v1::Predictor small_predictor() {
  v1::Predictor predictor;
  predictor.set_format_version(1);
  predictor.add_features("log_macs");
  predictor.add_features("cpu_load");
  predictor.add_operators("aten::relu");
  predictor.add_backends("");
  add_baseline(predictor, "", 100);
  add_baseline(predictor, "aten::relu", 10);
  v1::TreeEnsemble& residual = *predictor.mutable_residual();
  residual.add_tree_start(0);
  add_node(residual, 0, std::log1p(100.0F), 1, 2);
  add_node(residual, -1, 0, 0, 0);
  add_node(residual, -1, std::log(1.5F), 0, 0);
  v1::TreeEnsemble& slowdown = *predictor.mutable_slowdown();
  slowdown.add_tree_start(0);
  add_node(slowdown, 1, 0.6F, 1, 2);
  add_node(slowdown, -1, 0.5F, 0, 0);
  add_node(slowdown, -1, 0.8F, 0, 0);
  predictor.add_slowdown_loads(0.5);
  predictor.add_slowdown_loads(0.8);
  predictor.set_residual_q95(0.1);
  predictor.set_measured_q95(0.05);
  predictor.set_contended_q95(0.3);
  predictor.set_unseen_q95(1);
  return predictor;
}

}  // namespace adamec::testing
