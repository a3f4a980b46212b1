#include "adamec/machine/host.h"

#include <fmt/format.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <sstream>

#include "adamec/base/error.h"
#include "adamec/base/sha256.h"
#include "adamec/machine/system_file.h"

namespace adamec::machine {
namespace {

constexpr const char* kGovernor = "/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor";

std::string trim(const std::string& text) {
  const std::size_t first = text.find_first_not_of(" \t\r\n");
  if (first == std::string::npos) return "";
  return text.substr(first, text.find_last_not_of(" \t\r\n") - first + 1);
}

// The value of the first "key : value" line, or "".
std::string cpuinfo_field(const std::string& cpuinfo, const std::string& key) {
  std::istringstream lines(cpuinfo);
  for (std::string line; std::getline(lines, line);) {
    const std::size_t colon = line.find(':');
    if (colon != std::string::npos && trim(line.substr(0, colon)) == key) {
      return trim(line.substr(colon + 1));
    }
  }
  return "";
}

}  // namespace

HostFacts read_host_facts() {
  HostFacts facts;
  facts.cpuinfo = read_system_file("/proc/cpuinfo");
  facts.governor = trim(read_system_file(kGovernor));
  facts.cores = static_cast<unsigned>(::sysconf(_SC_NPROCESSORS_ONLN));
  utsname names{};
  if (::uname(&names) == 0) facts.architecture = names.machine;
  return facts;
}

std::string cpu_model(const std::string& cpuinfo) {
  for (const char* key : {"model name", "Model", "Hardware"}) {
    const std::string model = cpuinfo_field(cpuinfo, key);
    if (!model.empty()) return printable(model);
  }
  const std::string part = cpuinfo_field(cpuinfo, "CPU part");
  if (part.empty()) return "unknown";
  return printable("implementer " + cpuinfo_field(cpuinfo, "CPU implementer") + " part " + part);
}

v1::Host describe_host(const HostFacts& facts, const Libraries& libraries) {
  v1::Host host;
  host.set_cpu_model(cpu_model(facts.cpuinfo));
  host.set_cores(facts.cores);
  host.set_libtorch_version(libraries.libtorch);
  host.set_blas(libraries.blas);
  host.set_onednn(libraries.onednn);
  host.set_openmp(libraries.openmp);
  host.set_frequency_governor(facts.governor);
  host.set_architecture(facts.architecture);
  const std::string text = fmt::format(
      "cpu_model={}\ncores={}\nlibtorch={}\nblas={}\nonednn={}\nopenmp={}\ngovernor={}\n"
      "architecture={}\n",
      host.cpu_model(), host.cores(), host.libtorch_version(), host.blas(), host.onednn(),
      host.openmp(), host.frequency_governor(), host.architecture());
  host.set_id(sha256_hex(text).substr(0, 16));
  return host;
}

std::string summarise(const v1::Host& host) {
  return fmt::format("{}, {} cores, LibTorch {} (id {})", printable(host.cpu_model()), host.cores(),
                     printable(host.libtorch_version()), printable(host.id()));
}

}  // namespace adamec::machine
