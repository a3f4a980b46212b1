#include "adamec/machine/host.h"

#include <gtest/gtest.h>

#include <set>

namespace adamec::machine {
namespace {

constexpr const char* kX86 =
    "processor\t: 0\nvendor_id\t: AuthenticAMD\nmodel name\t: AMD EPYC 7763 \n\n"
    "processor\t: 1\nmodel name\t: other\n";
constexpr const char* kRaspberryPi =
    "processor\t: 0\nBogoMIPS\t: 108.00\nCPU implementer\t: 0x41\nCPU part\t: 0xd08\n\n"
    "Hardware\t: BCM2835\nModel\t\t: Raspberry Pi 4 Model B Rev 1.2\n";
constexpr const char* kArmServer = "processor : 0\nCPU implementer : 0x41\nCPU part : 0xd0c\n";

TEST(CpuModel, KnowsTheDialectsOfCpuinfo) {
  EXPECT_EQ(cpu_model(kX86), "AMD EPYC 7763");
  EXPECT_EQ(cpu_model(kRaspberryPi), "Raspberry Pi 4 Model B Rev 1.2");
  EXPECT_EQ(cpu_model(kArmServer), "implementer 0x41 part 0xd0c");
  EXPECT_EQ(cpu_model(""), "unknown");
}

HostFacts facts() { return {kX86, "performance", "x86_64", 8}; }
Libraries libraries() { return {"1.13.1", "OpenBLAS 0.3.21", "v2.6.3", "OpenMP 4.5, passive"}; }

TEST(DescribeHost, TellsEverything) {
  const v1::Host host = describe_host(facts(), libraries());
  EXPECT_EQ(host.cpu_model(), "AMD EPYC 7763");
  EXPECT_EQ(host.cores(), 8U);
  EXPECT_EQ(host.libtorch_version(), "1.13.1");
  EXPECT_EQ(host.blas(), "OpenBLAS 0.3.21");
  EXPECT_EQ(host.onednn(), "v2.6.3");
  EXPECT_EQ(host.openmp(), "OpenMP 4.5, passive");
  EXPECT_EQ(host.frequency_governor(), "performance");
  EXPECT_EQ(host.architecture(), "x86_64");
  // Samples of earlier versions must stay this host's: the id never changes for the same fields.
  EXPECT_EQ(host.id(), "80bf21312b01545f");
  EXPECT_EQ(summarise(host), "AMD EPYC 7763, 8 cores, LibTorch 1.13.1 (id 80bf21312b01545f)");
}

TEST(DescribeHost, EveryFieldCounts) {
  std::set<std::string> ids{describe_host(facts(), libraries()).id()};
  for (std::string Libraries::*field :
       {&Libraries::libtorch, &Libraries::blas, &Libraries::onednn, &Libraries::openmp}) {
    Libraries other = libraries();
    other.*field += "x";
    ids.insert(describe_host(facts(), other).id());
  }
  for (std::string HostFacts::*field :
       {&HostFacts::cpuinfo, &HostFacts::governor, &HostFacts::architecture}) {
    HostFacts other = facts();
    other.*field = "model name : x\n";
    ids.insert(describe_host(other, libraries()).id());
  }
  HostFacts other = facts();
  other.cores = 4;
  ids.insert(describe_host(other, libraries()).id());
  EXPECT_EQ(ids.size(), 9U);
}

TEST(ReadHostFacts, KnowsThisMachine) {
  const HostFacts here = read_host_facts();
  EXPECT_GE(here.cores, 1U);
  EXPECT_FALSE(here.architecture.empty());
  EXPECT_NE(cpu_model(here.cpuinfo), "");
}

}  // namespace
}  // namespace adamec::machine
