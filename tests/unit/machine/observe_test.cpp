#include "adamec/machine/observe.h"

#include <gtest/gtest.h>

#include "adamec/machine/context_control.h"
#include "tests/unit/machine/test_helpers.h"

namespace adamec::machine {
namespace {

TEST(Observe, ReadsPressureMemoryAndFrequency) {
  EXPECT_EQ(parse_pressure_us("some avg10=1.50 avg60=0.00 avg300=0.00 total=1234\n"
                              "full avg10=0.00 avg60=0.00 avg300=0.00 total=99\n"),
            1234);
  EXPECT_EQ(parse_pressure_us(""), 0);
  EXPECT_EQ(parse_available_bytes("MemTotal: 9 kB\nMemFree: 8 kB\nMemAvailable:    7 kB\n"),
            7U * 1024);
  EXPECT_EQ(parse_available_bytes("MemTotal: 9 kB\n"), 0U);
  const std::string cpuinfo =
      "processor\t: 0\ncpu MHz\t\t: 1000.5\nprocessor\t: 1\ncpu MHz\t\t: 2000\n";
  EXPECT_DOUBLE_EQ(parse_cpuinfo_mhz(cpuinfo, {0}), 1000.5);
  EXPECT_DOUBLE_EQ(parse_cpuinfo_mhz(cpuinfo, {0, 1}), 1500.25);
  EXPECT_EQ(parse_cpuinfo_mhz("processor\t: 0\n", {0}), 0);
}

TEST(Observe, AddsReadings) {
  v1::Reading sum;
  v1::Reading reading;
  reading.set_others_ticks(10);
  reading.set_total_ticks(100);
  reading.set_cpu_waiting_us(50);
  reading.set_wall_us(100);
  reading.set_free_memory(1000);
  reading.set_frequency_sum(2000);
  reading.set_frequencies(1);
  add_reading(sum, reading);
  reading.set_free_memory(900);
  reading.set_frequency_sum(1000);
  reading.set_others_ticks(30);
  add_reading(sum, reading);
  const v1::Context observed = observed_context(testing::make_context(2, 0.5), sum);
  EXPECT_EQ(observed.threads(), 2U);
  EXPECT_DOUBLE_EQ(observed.cpu_load(), 0.2);
  EXPECT_DOUBLE_EQ(observed.cpu_pressure(), 0.5);
  EXPECT_EQ(observed.free_memory(), 900U);
  EXPECT_DOUBLE_EQ(observed.frequency_mhz(), 1500);
  EXPECT_DOUBLE_EQ(observed_context(testing::make_context(2, 0.5), {}).cpu_load(), 0);
}

}  // namespace
}  // namespace adamec::machine
