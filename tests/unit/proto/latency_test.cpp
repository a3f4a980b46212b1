#include "adamec/proto/latency.h"

#include <gtest/gtest.h>

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
  EXPECT_EQ(typical_us(quiet), 11);
  EXPECT_EQ(halves(quiet).even_us, 9);
  EXPECT_EQ(halves(quiet).odd_us, 10);
}

TEST(Latency, IsAMeanWhereTheCpuIsTakenAway) {
  v1::Sample loaded = sample();
  loaded.mutable_context()->set_cpu_load(0.5);
  v1::Sample throttled = sample();
  throttled.mutable_context()->set_cpu_quota(0.5);
  for (const v1::Sample& contended : {loaded, throttled}) {
    EXPECT_EQ(typical_us(contended), 20);
    EXPECT_EQ(halves(contended).even_us, 15);
    EXPECT_EQ(halves(contended).odd_us, 25);
  }
}

TEST(Latency, IsAMedianWhereMeansWereNotKept) {
  v1::Sample loaded = sample();
  loaded.mutable_context()->set_cpu_load(0.5);
  loaded.mutable_latency()->clear_mean_us();
  EXPECT_EQ(typical_us(loaded), 11);
  EXPECT_EQ(halves(loaded).even_us, 9);
}

}  // namespace
}  // namespace adamec
