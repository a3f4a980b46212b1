#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "adamec/base/error.h"
#include "adamec/base/sha256.h"
#include "adamec/base/text_table.h"
#include "adamec/base/units.h"

namespace adamec {
namespace {

using ::testing::HasSubstr;

template <typename Parse>
std::string message_of(Parse parse) {
  try {
    parse();
  } catch (const Error& error) {
    return error.what();
  }
  return "accepted";
}

TEST(Error, CarriesKindAndOneFormattedLine) {
  try {
    fail_with(ErrorKind::kInfeasible, "{}: {} of {}", "f", 3, 4);
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::kInfeasible);
    EXPECT_STREQ(error.what(), "f: 3 of 4");
  }
  EXPECT_EQ(message_of([] { fail("{}", 1); }), "1");
}

TEST(Error, PrintableTextStaysOnOneLine) {
  EXPECT_EQ(printable("a\nb\tc\x7f"), "a\\nb\\x09c\\x7f");
  EXPECT_EQ(printable(std::string(200, 'x'), 10), "xxxxxxxxxx...");
  EXPECT_EQ(printable(""), "");
}

TEST(Units, Bytes) {
  EXPECT_EQ(parse_bytes("4096", "f"), 4096u);
  EXPECT_EQ(parse_bytes("64MiB", "f"), 64u << 20);
  EXPECT_EQ(parse_bytes("1.5GB", "f"), 1500000000u);
  EXPECT_EQ(parse_bytes("2 kB", "f"), 2000u);
  for (const char* bad : {"", "MiB", "-1", "1XB", "nan", "inf", "1e400", "1 2", "1mib"}) {
    EXPECT_THAT(message_of([&] { (void)parse_bytes(bad, "c: m"); }), HasSubstr("c: m: '")) << bad;
  }
  EXPECT_THAT(message_of([] { (void)parse_bytes("99999999TiB", "f"); }), HasSubstr("is too large"));
}

TEST(Units, Bandwidth) {
  EXPECT_DOUBLE_EQ(parse_bandwidth("20Mbit/s", "f"), 2.5e6);
  EXPECT_DOUBLE_EQ(parse_bandwidth("2.5MB/s", "f"), 2.5e6);
  EXPECT_DOUBLE_EQ(parse_bandwidth("1KiB/s", "f"), 1024);
  EXPECT_THAT(message_of([] { (void)parse_bandwidth("0Mbit/s", "f"); }),
              HasSubstr("greater than zero"));
  EXPECT_THAT(message_of([] { (void)parse_bandwidth("0", "f"); }), HasSubstr("greater than zero"));
  EXPECT_THAT(message_of([] { (void)parse_bandwidth("-1Mbit/s", "f"); }),
              HasSubstr("not a bandwidth"));
  EXPECT_THAT(message_of([] { (void)parse_bandwidth("20", "f"); }), HasSubstr("with its unit"));
}

TEST(Units, TimePowerEnergy) {
  EXPECT_DOUBLE_EQ(parse_duration_ms("5ms", "f"), 5);
  EXPECT_DOUBLE_EQ(parse_duration_ms("0.1s", "f"), 100);
  EXPECT_DOUBLE_EQ(parse_duration_ms("250us", "f"), 0.25);
  EXPECT_DOUBLE_EQ(parse_duration_ms("0", "f"), 0);
  EXPECT_THAT(message_of([] { (void)parse_duration_ms("5", "f"); }),
              HasSubstr("f: '5' is not a time"));
  EXPECT_DOUBLE_EQ(parse_power_watts("500mW", "f"), 0.5);
  EXPECT_THAT(message_of([] { (void)parse_power_watts("5", "f"); }), HasSubstr("is not a power"));
  EXPECT_DOUBLE_EQ(parse_energy_per_byte("2nJ/B", "f"), 2e-9);
  EXPECT_THAT(message_of([] { (void)parse_energy_per_byte("2J", "f"); }),
              HasSubstr("is not an energy"));
}

TEST(Units, ForPeople) {
  EXPECT_EQ(format_bytes(17), "17 B");
  EXPECT_EQ(format_bytes(602112), "588.0 KiB");
  EXPECT_EQ(format_bytes(3u << 20), "3.0 MiB");
  EXPECT_EQ(format_bytes(UINT64_MAX), "16.0 EiB");
  EXPECT_EQ(format_ms(0.087), "87 us");
  EXPECT_EQ(format_ms(12.345), "12.35 ms");
  EXPECT_EQ(format_ms(1200), "1.20 s");
}

TEST(Sha256, EqualsThePublishedVectors) {
  EXPECT_EQ(sha256_hex(""), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  EXPECT_EQ(sha256_hex("abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}

TEST(TextTable, AlignsColumnsWithoutTrailingSpaces) {
  TextTable table({{"name"}, {"ms", TextTable::Align::kRight}, {"note"}});
  table.add_row({"a", "1.5", "first"});
  table.add_row({"longer", "100"});
  EXPECT_EQ(table.str(),
            "name     ms  note\n"
            "a       1.5  first\n"
            "longer  100\n");
}

}  // namespace
}  // namespace adamec
