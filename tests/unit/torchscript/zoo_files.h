#pragma once

#include <gtest/gtest.h>

#include <cctype>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "adamec/torchscript/split/split.h"
#include "tests/support/run_command.h"

namespace adamec::testing {

struct ZooFile {
  std::string path;
  std::vector<std::string> inputs;
  std::vector<std::string> kinds;      // of atoms, besides OPERATOR and VIEW
  int atoms = 11;                      // at least
  std::vector<std::string> libraries;  // of custom operators
  friend void PrintTo(const ZooFile& file, std::ostream* out) { *out << file.path; }
};

// Where Debian has the operators of torchvision, for Debian's LibTorch; empty when it is not there.
inline std::string torchvision_library() {
  const std::filesystem::path folder = "/usr/lib/python3/dist-packages/torchvision";
  if (!torchscript::libtorch_version().starts_with("1.13") || !std::filesystem::exists(folder)) {
    return "";
  }
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    if (entry.path().filename().string().starts_with("_C.")) return entry.path().string();
  }
  return "";
}

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
      if (!committed && !std::filesystem::exists(path)) continue;
      ZooFile entry{path,
                    model.at("inputs"),
                    model.value("kinds", std::vector<std::string>()),
                    model.value("atoms", 11),
                    {}};
      if (model.contains("library")) entry.libraries.push_back(torchvision_library());
      if (entry.libraries != std::vector<std::string>{""}) files.push_back(entry);
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
