#pragma once

#include <gtest/gtest.h>

#include <cctype>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "tests/support/run_command.h"

namespace adamec::testing {

struct ZooFile {
  std::string path;
  std::vector<std::string> inputs;
  friend void PrintTo(const ZooFile& file, std::ostream* out) { *out << file.path; }
};

// All files of models/zoo.json that are there: committed ones always.
inline std::vector<ZooFile> zoo_files() {
  std::ifstream file(source_path("models/zoo.json"));
  const auto zoo = nlohmann::json::parse(file);
  std::vector<ZooFile> files;
  for (const auto& model : zoo.at("models")) {
    for (const auto& form : model.at("forms")) {
      const std::string name =
          model.at("name").get<std::string>() + "." + form.get<std::string>() + ".pt";
      const bool committed = model.value("committed", false);
      const std::string path = source_path((committed ? "models/" : "models/cache/") + name);
      if (committed || std::filesystem::exists(path)) {
        files.push_back({path, model.at("inputs").get<std::vector<std::string>>()});
      }
    }
  }
  return files;
}

inline std::string zoo_case_name(const ::testing::TestParamInfo<ZooFile>& info) {
  std::string name = std::filesystem::path(info.param.path).stem().string();
  for (char& c : name) {
    if (std::isalnum(static_cast<unsigned char>(c)) == 0) c = '_';
  }
  return name;
}

}  // namespace adamec::testing
