#pragma once

#include <gtest/gtest.h>

#include <string>

#include "adamec/v1/samples.pb.h"
#include "tests/cli/archive_maker.h"
#include "tests/support/run_command.h"

namespace adamec::testing {

inline v1::SampleSet parse_samples(const std::string& bytes) {
  v1::SampleSet samples;
  EXPECT_TRUE(samples.ParseFromString(bytes));
  return samples;
}

class AdamecProfile : public ::testing::Test {
 protected:
  AdamecProfile() {
    ArchiveMaker("net")
        .atom("act.relu", "aten::relu", "torch.relu(x)")
        .atom("fc.matmul", "aten::matmul", "torch.matmul(x, x)")
        .atom("act2.relu", "aten::relu", "torch.relu(x)")
        .write(folder_.path("net.atoms"));
  }

  // Atoms only, unless the arguments say otherwise.
  CommandResult profile(const std::string& arguments, const std::string& input = "") const {
    return run_command("adamec-profile --atoms-only " + arguments, folder_.path(), input);
  }
  CommandResult profile_all(const std::string& arguments) const {
    return run_command("adamec-profile " + arguments, folder_.path());
  }
  v1::SampleSet samples(const std::string& name) const { return parse_samples(folder_.read(name)); }

  TemporaryFolder folder_;
};

}  // namespace adamec::testing
