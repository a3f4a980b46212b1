#pragma once

#include <string>
#include <vector>

#include "adamec/archive/archive.h"
#include "adamec/measure/campaign.h"
#include "tools/adamec-profile/options.h"
#include "tools/adamec-profile/synthetic.h"

namespace adamec::tools {

// The archives and what is to be measured of them. The parts point to one another: not copied.
class WorkList {
 public:
  // Opens the archives and, to resume, the output. Throws Error when one is not valid, or when
  // nothing matches the selection.
  explicit WorkList(const ProfileConfig& config);
  WorkList(const WorkList&) = delete;
  WorkList& operator=(const WorkList&) = delete;

  [[nodiscard]] const std::vector<measure::CampaignItem>& items() const {
    return items_;
  }                                                            // still to measure
  const v1::SampleSet& previous() const { return previous_; }  // what the output holds
  std::size_t atoms() const { return atoms_; }                 // in all archives
  std::size_t configurations() const { return plan_.size(); }
  // What the parts of blocks and models are.
  [[nodiscard]] std::vector<v1::Configuration> parts() const;
  // Null for synthetic items.
  [[nodiscard]] const archive::Reader* archive_of(const measure::WorkItem& item) const {
    return item.archive < archives_.size() ? &archives_[item.archive] : nullptr;
  }
  [[nodiscard]] const Synthetic& synthetic() const { return synthetic_; }

 private:
  [[nodiscard]] std::vector<measure::WorkSource> sources() const;

  std::vector<archive::Reader> archives_;
  Synthetic synthetic_;
  std::vector<measure::WorkItem> plan_;
  std::vector<measure::CampaignItem> items_;
  v1::SampleSet previous_;
  std::size_t atoms_ = 0;
};

// A table of the items for --list, or the same as JSON.
[[nodiscard]] std::string list_text(const WorkList& work, const ProfileConfig& config);
[[nodiscard]] std::string list_json(const WorkList& work, const ProfileConfig& config);
// "176 atoms, 57 configurations chosen, 57 to measure in 3 contexts, about 12 s"
[[nodiscard]] std::string work_summary(const WorkList& work, const ProfileConfig& config);

}  // namespace adamec::tools
