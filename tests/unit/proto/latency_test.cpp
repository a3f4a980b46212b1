#include "adamec/proto/latency.h"

#include <gtest/gtest.h>

#include <limits>
#include <vector>

namespace adamec {
namespace {

v1::Sample sample() {
  v1::Sample sample;
  v1::Latency& latency = *sample.mutable_latency();
  latency.set_p50_us(11);
  latency.set_even_min_us(9);
  latency.set_odd_min_us(10);
  latency.set_mean_us(20);
  latency.set_even_mean_us(15);
  latency.set_odd_mean_us(25);
  return sample;
}

TEST(Latency, IsAMedianAndRepeatsByLeastTimes) {
  v1::Sample quiet = sample();
  quiet.mutable_context()->set_memory_limit(1);
  EXPECT_EQ(typical_us(quiet, 0), 11);
  EXPECT_EQ(halves(quiet).even_us, 9);
  EXPECT_EQ(halves(quiet).odd_us, 10);
}

TEST(Latency, IsAMeanWhereTheCpuIsTakenAway) {
  v1::Sample loaded = sample();
  loaded.mutable_context()->set_cpu_load(0.5);
  v1::Sample throttled = sample();
  throttled.mutable_context()->set_cpu_quota(0.5);
  for (const v1::Sample& contended : {loaded, throttled}) {
    EXPECT_EQ(typical_us(contended, 0), 20);
    EXPECT_EQ(halves(contended).even_us, 15);
    EXPECT_EQ(halves(contended).odd_us, 25);
  }
}

TEST(Latency, IsAMedianWhereMeansWereNotKept) {
  v1::Sample loaded = sample();
  loaded.mutable_context()->set_cpu_load(0.5);
  loaded.mutable_latency()->clear_mean_us();
  EXPECT_EQ(typical_us(loaded, 0), 11);
  EXPECT_EQ(halves(loaded).even_us, 9);
}

// Measured while the core ran at that speed.
v1::Sample at_speed(double speed) {
  v1::Sample measured = sample();
  v1::Latency& latency = *measured.mutable_latency();
  latency.set_min_us(8);
  latency.set_core_speed(speed);
  latency.set_steady_us(10);
  latency.set_even_steady_us(9.5);
  latency.set_odd_steady_us(10.5);
  return measured;
}

TEST(Latency, IsTakenOverToAnotherCoreSpeed) {
  const v1::Sample measured = at_speed(900);
  EXPECT_DOUBLE_EQ(undisturbed_us(measured, 900), 10);
  EXPECT_DOUBLE_EQ(undisturbed_us(measured, 450), 20);  // half the speed, twice the time
  EXPECT_DOUBLE_EQ(typical_us(measured, 450), 22);
  EXPECT_DOUBLE_EQ(halves(measured, 450).even_us, 19);
  EXPECT_DOUBLE_EQ(halves(measured).odd_us, 10.5);
  v1::Sample loaded = measured;
  loaded.mutable_context()->set_cpu_load(0.5);
  EXPECT_DOUBLE_EQ(typical_us(loaded, 450), 40);
  EXPECT_DOUBLE_EQ(halves(loaded, 450).even_us, 30);
}

TEST(Latency, IsTheLeastWhereTheCoreSpeedIsNotKnown) {
  v1::Sample old = sample();
  old.mutable_latency()->set_min_us(8);
  EXPECT_DOUBLE_EQ(undisturbed_us(old, 900), 8);
  EXPECT_DOUBLE_EQ(halves(old, 900).even_us, 9);
  EXPECT_DOUBLE_EQ(undisturbed_us(at_speed(900), 0), 10);
}

TEST(Latency, StaysFiniteAndPositiveWhateverAFileSays) {
  v1::Sample hostile = at_speed(1e6);
  hostile.mutable_latency()->set_steady_us(1e308);
  EXPECT_EQ(undisturbed_us(hostile, 1), std::numeric_limits<double>::max());
  hostile.mutable_latency()->set_core_speed(1);
  hostile.mutable_latency()->set_steady_us(1e-307);
  EXPECT_GT(undisturbed_us(hostile, 1e6), 0);
}

TEST(Latency, AHostsCoreSpeedIsTheMedian) {
  const v1::Sample slow = at_speed(500);
  const v1::Sample usual = at_speed(900);
  const v1::Sample fast = at_speed(1000);
  const v1::Sample old = sample();
  EXPECT_EQ(typical_core_speed(std::vector{&fast, &old, &slow, &usual}), 900);
  EXPECT_EQ(typical_core_speed(std::vector{&old}), 0);
  EXPECT_EQ(typical_core_speed({}), 0);
}

}  // namespace
}  // namespace adamec
