#include "adamec/torchscript/load/load.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <fstream>
#include <thread>

#include "adamec/base/file.h"
#include "adamec/base/sha256.h"
#include "tests/support/run_command.h"

namespace adamec::torchscript {
namespace {

// A model that counts its runs.
std::string counter_file(const testing::TemporaryFolder& folder) {
  jit::Module module("Counter");
  module.register_attribute("runs", c10::IntType::get(), 0);
  module.define("def forward(self):\n    self.runs += 1\n    return self.runs\n");
  module.save(folder.path("counter.pt"));
  return folder.path("counter.pt");
}

void expect_fresh_model_every_time(ModelFile& file, const std::string& content) {
  for (int i = 0; i < 2; ++i) {
    LoadedModel model = file.load();
    EXPECT_EQ(model.sha256, sha256_hex(content));
    EXPECT_EQ(model.bytes, content.size());
    EXPECT_EQ(model.module.forward({}).toInt(), 1);
    EXPECT_EQ(model.module.forward({}).toInt(), 2);
  }
}

TEST(ModelFile, GivesTheModelAsItIsInTheFileEveryTime) {
  const testing::TemporaryFolder folder;
  const std::string path = counter_file(folder);
  ModelFile file(path);
  expect_fresh_model_every_time(file, read_file(path));
}

TEST(ModelFile, ReadsAPipeOnceAndGivesItsModelEveryTime) {
  const testing::TemporaryFolder folder;
  const std::string content = read_file(counter_file(folder));
  const std::string pipe = folder.path("pipe");
  ASSERT_EQ(::mkfifo(pipe.c_str(), 0600), 0);
  std::thread writer([&] { std::ofstream(pipe, std::ios::binary) << content; });
  ModelFile file(pipe);
  writer.join();
  expect_fresh_model_every_time(file, content);
}

}  // namespace
}  // namespace adamec::torchscript
