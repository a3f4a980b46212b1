#pragma once

#include <string>
#include <vector>

#include "adamec/archive/archive.h"
#include "adamec/measure/campaign.h"
#include "tools/adamec-profile/options.h"

namespace adamec::tools {

// The archives and what is to be measured of them. The parts point to one another: not copied.
class WorkList {
 public:
  // Opens the archives and, to resume, the output. Throws Error when one is not valid, or when
  // nothing matches the selection.
  explicit WorkList(const ProfileConfig& config);
  WorkList(const WorkList&) = delete;
  WorkList& operator=(const WorkList&) = delete;

  const std::vector<measure::CampaignItem>& items() const { return items_; }  // still to measure
  const v1::SampleSet& previous() const { return previous_; }  // what the output holds
  std::size_t atoms() const { return atoms_; }                 // in all archives
  std::size_t configurations() const { return plan_.size(); }
  // What the parts of blocks and models are.
  std::vector<v1::Configuration> parts() const;
  const archive::Reader& archive_of(const measure::PlanItem& item) const {
    return archives_[item.archive];
  }
  // What to write on the command line to get the item.
  std::string given_as(const measure::PlanItem& item, const ProfileConfig& config) const {
    return config.archives[item.archive];
  }

 private:
  std::vector<measure::PlanSource> sources() const;

  std::vector<archive::Reader> archives_;
  std::vector<measure::PlanItem> plan_;
  std::vector<measure::CampaignItem> items_;
  v1::SampleSet previous_;
  std::size_t atoms_ = 0;
};

// A table of the items for --list, or the same as JSON.
std::string list_text(const WorkList& work, const ProfileConfig& config);
std::string list_json(const WorkList& work, const ProfileConfig& config);
// "176 atoms, 57 configurations chosen, 57 to measure in 3 contexts, about 12 s"
std::string work_summary(const WorkList& work, const ProfileConfig& config);

}  // namespace adamec::tools
