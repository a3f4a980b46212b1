#pragma once

#include <string>
#include <utility>
#include <vector>

#include "adamec/archive/archive.h"

namespace adamec::testing {

// A small valid model: x -> conv -> relu -> y, with a weight that both share.
struct ExampleArchive {
  v1::Manifest manifest;
  std::vector<archive::Record> records;
};
ExampleArchive example_archive();

// A zip made with libzip directly, so that it may be anything; `compress` deflates the entries.
std::string make_zip(const std::vector<std::pair<std::string, std::string>>& entries,
                     bool compress = false);

// The entries of `example`, manifest first.
std::vector<std::pair<std::string, std::string>> entries_of(const ExampleArchive& example);

// What Reader::open(path) says; "" when it accepts the file. The path is cut off the message.
std::string open_error(const std::string& path);

}  // namespace adamec::testing
