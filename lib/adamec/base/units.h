#pragma once

#include <cstdint>
#include <string>

namespace adamec {

// Quantities as people write them. Each takes the text and the name of the field it came from
// ("context.yaml: links[0].bandwidth"), and throws Error naming the field, the text and what was
// expected. Numbers must be finite and not negative.

// "64MiB", "1.5GB", "4096" -> bytes. KiB/MiB/GiB are powers of 1024, kB/MB/GB of 1000.
[[nodiscard]] std::uint64_t parse_bytes(const std::string& text, const std::string& field);
// "20Mbit/s", "2.5MB/s", "1Gbit/s" -> bytes per second. A unit is required; zero is an error.
[[nodiscard]] double parse_bandwidth(const std::string& text, const std::string& field);
// "5ms", "0.1s", "250us", "2min" -> milliseconds. A unit is required, except for 0.
[[nodiscard]] double parse_duration_ms(const std::string& text, const std::string& field);
// "3W", "500mW" -> watts.
[[nodiscard]] double parse_power_watts(const std::string& text, const std::string& field);
// "0.1uJ/B", "2nJ/B" -> joules per byte.
[[nodiscard]] double parse_energy_per_byte(const std::string& text, const std::string& field);

// For people: "3.1 MiB", "602.1 KiB", "17 B"; "12.3 ms", "1.20 s", "87 us".
[[nodiscard]] std::string format_bytes(std::uint64_t bytes);
[[nodiscard]] std::string format_ms(double milliseconds);

}  // namespace adamec
