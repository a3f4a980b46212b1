#pragma once

#include <span>
#include <string>
#include <utility>
#include <vector>

#include "adamec/train/accuracy.h"
#include "adamec/train/cross_validation.h"

namespace adamec::train {

struct ValidationReport {
  std::string title;                                       // "Configurations left out"
  std::string subtitle;                                    // what was trained on what
  std::vector<std::pair<std::string, std::string>> facts;  // host, files, ...
  std::span<const Accuracy> table;
  std::span<const Outcome> outcomes;
};

// The report as one HTML page that needs nothing else: the table, measured against predicted,
// errors by operator, how many lie within an error beside how many measurements repeat within it,
// and calibration of the quantiles. Same outcomes, same bytes.
[[nodiscard]] std::string validation_html(const ValidationReport& report);

}  // namespace adamec::train
