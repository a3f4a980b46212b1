#include "adamec/base/units.h"

#include <charconv>
#include <cmath>
#include <span>
#include <string_view>

#include "adamec/base/error.h"

namespace adamec {
namespace {

struct Unit {
  std::string_view name;
  double factor;
};

// A non-negative finite number followed by one of `units`; returns number * factor.
double parse_quantity(const std::string& text, const std::string& field,
                      std::span<const Unit> units, const char* expected) {
  const char* end = text.data() + text.size();
  double number = 0;
  const auto [rest, error] = std::from_chars(text.data(), end, number);
  std::string_view unit(rest, static_cast<std::size_t>(end - rest));
  while (!unit.empty() && unit.front() == ' ') unit.remove_prefix(1);
  if (error == std::errc() && std::isfinite(number) && number >= 0) {
    for (const Unit& candidate : units) {
      if (candidate.name == unit && std::isfinite(number * candidate.factor)) {
        return number * candidate.factor;
      }
    }
    if (unit.empty() && number == 0) return 0;
  }
  fail("{}: '{}' is not {}", field, printable(text), expected);
}

}  // namespace

std::uint64_t parse_bytes(const std::string& text, const std::string& field) {
  static constexpr Unit kUnits[] = {{"", 1},
                                    {"B", 1},
                                    {"kB", 1e3},
                                    {"KB", 1e3},
                                    {"MB", 1e6},
                                    {"GB", 1e9},
                                    {"TB", 1e12},
                                    {"KiB", 1024},
                                    {"MiB", 1048576.0},
                                    {"GiB", 1073741824.0},
                                    {"TiB", 1099511627776.0}};
  const double bytes = parse_quantity(text, field, kUnits, "a size such as 64MiB, 1.5GB or 4096");
  if (bytes > 9.0e18) fail("{}: '{}' is too large", field, printable(text));
  return static_cast<std::uint64_t>(std::llround(bytes));
}

double parse_bandwidth(const std::string& text, const std::string& field) {
  static constexpr Unit kUnits[] = {
      {"bit/s", 0.125}, {"kbit/s", 125},      {"Mbit/s", 125e3},      {"Gbit/s", 125e6},
      {"B/s", 1},       {"kB/s", 1e3},        {"MB/s", 1e6},          {"GB/s", 1e9},
      {"KiB/s", 1024},  {"MiB/s", 1048576.0}, {"GiB/s", 1073741824.0}};
  const double rate = parse_quantity(
      text, field, kUnits, "a bandwidth such as 20Mbit/s or 2.5MB/s (positive, with its unit)");
  if (rate <= 0) {
    fail("{}: '{}': a bandwidth must be greater than zero", field, printable(text));
  }
  return rate;
}

double parse_duration_ms(const std::string& text, const std::string& field) {
  static constexpr Unit kUnits[] = {
      {"us", 1e-3}, {"ms", 1}, {"s", 1e3}, {"min", 6e4}, {"h", 3.6e6}};
  return parse_quantity(text, field, kUnits, "a time such as 5ms, 250us or 0.1s (with its unit)");
}

double parse_power_watts(const std::string& text, const std::string& field) {
  static constexpr Unit kUnits[] = {{"mW", 1e-3}, {"W", 1}, {"kW", 1e3}};
  return parse_quantity(text, field, kUnits, "a power such as 3W or 500mW (with its unit)");
}

double parse_energy_per_byte(const std::string& text, const std::string& field) {
  static constexpr Unit kUnits[] = {{"nJ/B", 1e-9}, {"uJ/B", 1e-6}, {"mJ/B", 1e-3}, {"J/B", 1}};
  return parse_quantity(text, field, kUnits, "an energy per byte such as 0.1uJ/B (with its unit)");
}

std::string format_bytes(std::uint64_t bytes) {
  static constexpr std::string_view kNames[] = {"KiB", "MiB", "GiB", "TiB", "PiB", "EiB"};
  if (bytes < 1024) return fmt::format("{} B", bytes);
  double value = static_cast<double>(bytes) / 1024;
  std::size_t index = 0;
  while (value >= 1024 && index + 1 < std::size(kNames)) {
    value /= 1024;
    ++index;
  }
  return fmt::format("{:.1f} {}", value, kNames[index]);
}

std::string format_ms(double milliseconds) {
  if (milliseconds >= 1000) return fmt::format("{:.2f} s", milliseconds / 1000);
  if (milliseconds >= 1) return fmt::format("{:.2f} ms", milliseconds);
  return fmt::format("{:.0f} us", milliseconds * 1000);
}

}  // namespace adamec
