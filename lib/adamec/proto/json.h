#pragma once

#include <google/protobuf/message.h>

#include <string>

namespace adamec {

// Reads proto3 JSON (https://protobuf.dev/programming-guides/json) into an empty message: both
// spellings of field names, whole numbers as strings or with exponents, null for what is absent.
// Takes a tenth of the time of protobuf's own reader, and says where it stopped. Keys that are
// unknown or there twice are errors; floats, bytes, maps and the well-known types are not read.
// Throws Error with the place and what was expected there, "atoms[3].latency_ms[0]: null, expected
// a number"; the caller adds the file.
void parse_json(const std::string& text, google::protobuf::Message& message);

}  // namespace adamec
