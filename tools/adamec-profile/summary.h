#pragma once

#include <string>
#include <vector>

#include "adamec/measure/campaign.h"
#include "tools/adamec-profile/work_list.h"

namespace adamec::tools {

// What there is to say after measuring.
struct Summary {
  v1::Host host;
  measure::CampaignResult result;
  double seconds = 0;
};

// Rows of latencies for people, and everything for machines.
[[nodiscard]] std::string latency_table(const std::vector<v1::Sample>& samples);
[[nodiscard]] std::string summary_json(const Summary& summary, const WorkList& work,
                                       const ProfileConfig& config);
// "57 configurations measured in 9.1 s; two halves of the visits agree within 5 % for 91 % ..."
[[nodiscard]] std::string summary_line(const Summary& summary);
// "adamec-profile M.atoms --only conv1.conv2d --threads 1"
[[nodiscard]] std::string reproducing_line(const measure::Failure& failure, const WorkList& work,
                                           const ProfileConfig& config);
// "M.atoms: conv1.conv2d: reason; to reproduce: adamec-profile M.atoms --only conv1.conv2d ..."
[[nodiscard]] std::string failure_text(const measure::Failure& failure, const WorkList& work,
                                       const ProfileConfig& config);

}  // namespace adamec::tools
