#include <gtest/gtest.h>

#include <cmath>
#include <functional>
#include <limits>

#include "adamec/base/error.h"
#include "adamec/predict/predictor.h"
#include "adamec/proto/parse.h"
#include "tests/support/run_command.h"
#include "tests/unit/predict/small_predictor.h"
#include "tests/unit/predict/synthetic_samples.h"

// Predictor files that no trainer would write: refused in one line.
namespace adamec::testing {
namespace {

const double kNan = std::nan("");

std::string error_after(const std::function<void(v1::Predictor&)>& change) {
  v1::Predictor message = small_predictor();
  change(message);
  try {
    const predict::Predictor predictor(message, "p");
  } catch (const Error& error) {
    return error.what();
  }
  return "";
}

std::string error_of_file(const std::string& bytes) {
  const TemporaryFolder folder;
  const std::string path = folder.write("p", bytes);
  try {
    static_cast<void>(predict::Predictor::load(path));
  } catch (const Error& error) {
    return std::string(error.what()).substr(path.size() - 1);
  }
  return "";
}

TEST(HostilePredictor, AcceptsTheExample) {
  EXPECT_EQ(error_after([](v1::Predictor&) {}), "");
}

TEST(HostilePredictor, RefusesOtherFiles) {
  EXPECT_EQ(error_of_file(""), "p: the file is empty, expected a predictor");
  EXPECT_EQ(error_of_file("version https://git-lfs.github.com/spec/v1\n"),
            "p: not a predictor, or truncated");
  const std::string bytes = small_predictor().SerializeAsString();
  EXPECT_EQ(error_of_file(bytes.substr(0, bytes.size() - 3)), "p: not a predictor, or truncated");
  EXPECT_EQ(error_after([](v1::Predictor& p) { p.clear_format_version(); }),
            "p: not a predictor (no format_version)");
  EXPECT_EQ(error_after([](v1::Predictor& p) { p.set_format_version(9); }),
            "p: predictor format 9, this version reads up to 2");
}

TEST(HostilePredictor, PrintsNothingOnItsOwn) {
  v1::Predictor message = small_predictor();
  std::string bytes = message.SerializeAsString();
  bytes[bytes.find("aten::relu")] = '\xff';  // not UTF-8
  ::testing::internal::CaptureStderr();
  EXPECT_EQ(error_of_file(bytes), "p: not a predictor, or truncated");
  EXPECT_EQ(::testing::internal::GetCapturedStderr(), "");
}

TEST(HostilePredictor, SurvivesEveryChangedByte) {
  const std::string whole = small_predictor().SerializeAsString();
  const TemporaryFolder folder;
  for (std::size_t at = 0; at < whole.size(); ++at) {
    for (const int flip : {0x01, 0x80, 0xff}) {
      std::string bytes = whole;
      bytes[at] = static_cast<char>(bytes[at] ^ flip);
      v1::Predictor message;
      if (!parse_message(message, bytes)) continue;
      try {
        const predict::Predictor predictor(message, "p");
        const auto prediction = predictor.predict(relu({1, 8}), {1, 0.7});
        EXPECT_TRUE(std::isfinite(prediction.p95_ms)) << at;
        EXPECT_GE(prediction.p95_ms, prediction.p50_ms) << at;
      } catch (const Error& error) {
        EXPECT_EQ(std::string(error.what()).find('\n'), std::string::npos) << at;
      }
    }
  }
}

TEST(HostilePredictor, RefusesFeaturesOutOfRange) {
  EXPECT_EQ(error_after([](v1::Predictor& p) { p.mutable_residual()->set_feature(0, 2); }),
            "p: residual.feature[0]: 2, expected -1 to 1");
  EXPECT_EQ(error_after([](v1::Predictor& p) { p.mutable_slowdown()->set_feature(0, -2); }),
            "p: slowdown.feature[0]: -2, expected -1 to 1");
  EXPECT_EQ(error_after([](v1::Predictor& p) { p.set_features(0, "moon_phase"); }),
            "p: features: unknown or repeated feature 'moon_phase'");
  EXPECT_EQ(error_after([](v1::Predictor& p) { p.set_features(0, "cpu_load"); }),
            "p: features: unknown or repeated feature 'cpu_load'");
}

TEST(HostilePredictor, RefusesTreesThatAreNone) {
  EXPECT_EQ(error_after([](v1::Predictor& p) { p.mutable_residual()->set_left(0, 0); }),
            "p: residual: node 0 has child 0, expected 1 to 2");
  EXPECT_EQ(error_after([](v1::Predictor& p) { p.mutable_residual()->set_right(0, 3); }),
            "p: residual: node 0 has child 3, expected 1 to 2");
  EXPECT_EQ(error_after([](v1::Predictor& p) {  // a child that leads back
              p.mutable_residual()->set_feature(2, 0);
              p.mutable_residual()->set_left(2, 1);
              p.mutable_residual()->set_right(2, 1);
            }),
            "p: residual: node 2 has child 1, expected 3 to 2");
  EXPECT_EQ(error_after([](v1::Predictor& p) { p.mutable_residual()->set_right(0, 1); }),
            "p: residual: node 1 is the child of two");
  EXPECT_EQ(error_after([](v1::Predictor& p) {
              v1::TreeEnsemble& trees = *p.mutable_residual();
              while (trees.feature_size() < 65536) {
                trees.add_feature(-1);
                trees.add_threshold(0);
                trees.add_left(0);
                trees.add_right(0);
                trees.add_missing_left(false);
              }
            }),
            "p: residual: a tree of 65536 nodes, expected at most 65535");
  EXPECT_EQ(error_after([](v1::Predictor& p) { p.mutable_residual()->set_tree_start(0, 1); }),
            "p: residual.tree_start[0]: tree of nodes 1 to 3, expected to start at 0 and end by 3");
  EXPECT_EQ(error_after([](v1::Predictor& p) { p.mutable_residual()->add_tree_start(4000000000); }),
            "p: residual.tree_start[0]: tree of nodes 0 to 4000000000, expected to start at 0 and "
            "end by 3");
  EXPECT_EQ(error_after([](v1::Predictor& p) { p.mutable_residual()->add_tree_start(0); }),
            "p: residual.tree_start[0]: tree of nodes 0 to 0, expected to start at 0 and end by 3");
  EXPECT_EQ(error_after([](v1::Predictor& p) { p.mutable_residual()->clear_tree_start(); }),
            "p: residual: 3 nodes in 0 trees");
  EXPECT_EQ(error_after([](v1::Predictor& p) { p.mutable_residual()->add_left(1); }),
            "p: residual: arrays of different lengths: 3 features, 3 thresholds, 4 left, 3 right, "
            "3 missing_left");
}

TEST(HostilePredictor, RefusesNumbersThatAreNone) {
  const auto nan = std::numeric_limits<float>::quiet_NaN();
  EXPECT_EQ(error_after([&](v1::Predictor& p) { p.mutable_residual()->set_threshold(0, nan); }),
            "p: residual.threshold[0]: nan, expected a finite number");
  EXPECT_EQ(error_after([&](v1::Predictor& p) { p.mutable_residual()->set_threshold(1, 2e6F); }),
            "p: residual.threshold[1]: a leaf of 2000000, expected at most 1000000");
  EXPECT_EQ(error_after([&](v1::Predictor& p) { p.mutable_slowdown()->set_base_score(nan); }),
            "p: slowdown.base_score: nan, expected at most 1000000");
  EXPECT_EQ(error_after([&](v1::Predictor& p) { p.set_residual_q95(kNan); }),
            "p: residual_q95: nan, expected 0 to 40");
  EXPECT_EQ(error_after([&](v1::Predictor& p) { p.set_unseen_q95(-1); }),
            "p: unseen_q95: -1, expected 0 to 40");
  EXPECT_EQ(error_after([&](v1::Predictor& p) { p.mutable_baselines(0)->set_us_per_mac(kNan); }),
            "p: baselines[0].us_per_mac: nan, expected a number >= 0");
}

TEST(HostilePredictor, RefusesKrigingThatIsNone) {
  const auto with_kriging = [](v1::Predictor& p) -> v1::Kriging& {
    p.add_kriging_features(0);
    p.add_kriging_scales(1);
    v1::Kriging& kriging = *p.add_krigings();
    kriging.add_points(1);
    kriging.add_weights(1);
    return kriging;
  };
  EXPECT_EQ(error_after([&](v1::Predictor& p) { with_kriging(p); }), "");
  EXPECT_EQ(error_after([&](v1::Predictor& p) { with_kriging(p).add_points(2); }),
            "p: krigings[0]: 1 weights and 2 numbers of points, expected at most 224 weights and 1 "
            "times as many");
  EXPECT_EQ(error_after([&](v1::Predictor& p) {
              for (int i = 0; i < 160; ++i) with_kriging(p).add_weights(1);
            }).substr(0, 40),
            "p: 160 kriging_features and 160 kriging_");
  EXPECT_EQ(error_after([&](v1::Predictor& p) {
              with_kriging(p).set_weights(0, std::numeric_limits<float>::quiet_NaN());
            }),
            "p: krigings[0].weights: nan, expected at most 1000000");
  EXPECT_EQ(error_after([&](v1::Predictor& p) {
              with_kriging(p);
              p.set_kriging_features(0, 9);
            }),
            "p: kriging_features: 9, expected below 2");
  EXPECT_EQ(error_after([&](v1::Predictor& p) {
              with_kriging(p);
              p.set_kriging_scales(0, 0);
            }),
            "p: kriging_scales: 0, expected 0.001 to 1000000");
  EXPECT_EQ(error_after([&](v1::Predictor& p) {
              const v1::Kriging same = with_kriging(p);
              *p.add_krigings() = same;
            }),
            "p: krigings[1]: the second of its operator, threads, backend and family");
  EXPECT_EQ(error_after([&](v1::Predictor& p) { p.set_kriging_share(1.5); }),
            "p: kriging_share: 1.5, expected 0 to 1");
}

TEST(HostilePredictor, RefusesBlocksKneesAndAdaptationsThatAreNone) {
  EXPECT_EQ(error_after([](v1::Predictor& p) { p.add_combinations()->set_call_us(-1); }),
            "p: combinations[0].call_us: -1, expected 0 to 1000000");
  EXPECT_EQ(error_after([](v1::Predictor& p) { p.add_combinations()->add_pairs()->set_share(2); }),
            "p: combinations[0].pairs.share: 2, expected -4 to 1");
  EXPECT_EQ(error_after([](v1::Predictor& p) {
              p.add_combinations();
              p.add_combinations();
            }),
            "p: combinations[1]: the second for 0 threads");
  EXPECT_EQ(error_after([](v1::Predictor& p) { p.add_memory_knee()->set_log_slowdown(kNan); }),
            "p: memory_knee: nan at 0, expected ascending numbers up to 40");
  EXPECT_EQ(error_after([](v1::Predictor& p) {
              for (const double share : {1.0, 0.5}) p.add_memory_knee()->set_share(share);
            }),
            "p: memory_knee: 0 at 0.5, expected ascending numbers up to 40");
  EXPECT_EQ(error_after([](v1::Predictor& p) { p.add_adaptations()->set_per_mac(kNan); }),
            "p: adaptations[0]: a ratio of nan, expected 0 to 1000000000000");
  EXPECT_EQ(error_after([](v1::Predictor& p) { p.add_adaptations()->set_threads(0); }),
            "p: adaptations[0]: bad or repeated: 0 threads, log_factor 0");
  EXPECT_EQ(error_after([](v1::Predictor& p) { p.add_bounds()->set_q95(kNan); }),
            "p: bounds.q95: nan, expected 0 to 40");
}

TEST(HostilePredictor, RefusesTypicalSlowdownsThatDoNotFit) {
  const auto with = [](std::vector<double> log_slowdowns) {
    return [=](v1::Predictor& p) {
      for (const double log_slowdown : log_slowdowns) {
        if (p.typical_slowdowns().empty()) p.add_typical_slowdowns()->set_threads(1);
        p.mutable_typical_slowdowns(0)->add_log_slowdowns(log_slowdown);
      }
    };
  };
  EXPECT_EQ(error_after(with({0.5, 0.6})), "");
  EXPECT_EQ(error_after(with({0.5})),
            "p: typical_slowdowns[0]: 1 log_slowdowns for 2 slowdown_loads");
  EXPECT_EQ(error_after(with({0.5, 0.4})),
            "p: typical_slowdowns[0].log_slowdowns: 0.4 after 0.5, expected ascending numbers up "
            "to 40");
  EXPECT_EQ(error_after(with({-0.5, 0.4})),
            "p: typical_slowdowns[0].log_slowdowns: -0.5 after 0, expected ascending numbers up to "
            "40");
  EXPECT_EQ(error_after(with({0.5, kNan})),
            "p: typical_slowdowns[0].log_slowdowns: nan after 0.5, expected ascending numbers up "
            "to 40");
  EXPECT_EQ(error_after([&](v1::Predictor& p) {
              with({0.5, 0.6})(p);
              *p.add_typical_slowdowns() = p.typical_slowdowns(0);
            }),
            "p: typical_slowdowns[1]: empty, or the second for 1 threads");
}

TEST(HostilePredictor, RefusesDisorder) {
  EXPECT_EQ(error_after([](v1::Predictor& p) { p.set_slowdown_loads(1, 0.5); }),
            "p: slowdown_loads: 0.5 after 0.5, expected ascending numbers up to 1");
  EXPECT_EQ(error_after([](v1::Predictor& p) { p.set_slowdown_loads(1, 1.5); }),
            "p: slowdown_loads: 1.5 after 0.5, expected ascending numbers up to 1");
  EXPECT_EQ(error_after([](v1::Predictor& p) { p.add_operators("aten::add"); }),
            "p: operators[1]: 'aten::add' is not in ascending order");
  EXPECT_EQ(error_after([](v1::Predictor& p) {
              for (int i = 0; i < 2; ++i) p.add_measured()->set_us(1);
            }),
            "p: measured[1] is not in ascending order");
  EXPECT_EQ(error_after([](v1::Predictor& p) { p.add_measured()->set_us(0); }),
            "p: measured[0].us: 0, expected a positive number");
  EXPECT_EQ(error_after([](v1::Predictor& p) { p.add_contended()->set_us(kNan); }),
            "p: contended[0].us: nan, expected a positive number");
  EXPECT_EQ(error_after([](v1::Predictor& p) {
              p.add_contended()->set_us(1);
              p.mutable_contended(0)->set_cpu_load(1.5);
            }),
            "p: contended[0].cpu_load: 1.5, expected 0 to 1");
}

}  // namespace
}  // namespace adamec::testing
