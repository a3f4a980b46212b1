#include "adamec/torchscript/specialise/converge.h"

#include <gtest/gtest.h>

#include "adamec/base/error.h"

namespace adamec::testing {
namespace {

using torchscript::Residual;

TEST(Converge, RepeatsUntilNothingIsLearnt) {
  torchscript::Assumptions assumptions;
  int attempts = 0;
  const Residual residual = torchscript::converge(assumptions, [&]() -> std::optional<Residual> {
    if (++attempts == 4) return Residual();
    assumptions.varying.insert(std::to_string(attempts));
    return std::nullopt;
  });
  EXPECT_EQ(attempts, 4);
}

TEST(Converge, ThatAttributesChangeIsLearntOnce) {
  torchscript::Assumptions assumptions;
  assumptions.attributes.insert("memory");
  assumptions.unchanging = true;
  int attempts = 0;
  (void)torchscript::converge(assumptions, [&]() -> std::optional<Residual> {
    if (++attempts == 2) return Residual();
    assumptions = torchscript::Assumptions();
    return std::nullopt;
  });
  EXPECT_EQ(attempts, 2);
}

// It would go on for ever.
TEST(Converge, AnAttemptThatLearnsNothingIsAnError) {
  torchscript::Assumptions assumptions;
  assumptions.varying.insert("a guard");
  int attempts = 0;
  try {
    (void)torchscript::converge(assumptions, [&]() -> std::optional<Residual> {
      if (++attempts == 100) return Residual();
      assumptions.varying.insert("a guard");  // known before
      return std::nullopt;
    });
    FAIL() << "went on";
  } catch (const Error& error) {
    EXPECT_EQ(std::string(error.what()).find("internal error: "), 0u) << error.what();
  }
  EXPECT_EQ(attempts, 1);
}

}  // namespace
}  // namespace adamec::testing
