#pragma once

#include <string>

#include "adamec/plan/search/objective.h"
#include "adamec/plan/search/pipeline.h"
#include "adamec/report/document.h"

namespace adamec::report {

// A plan for an objective other than latency: the fields of the plan format, with the objective's
// value and bound before them and all measures behind.
[[nodiscard]] Document objective_document(const plan::CostGraph& costs,
                                          const plan::Evaluator& evaluator,
                                          const plan::ObjectivePlan& best,
                                          const std::string& objective);

// The plans of a front in order, each with its measures and placement; and a table for people.
[[nodiscard]] Document front_document(const plan::CostGraph& costs,
                                      const plan::Evaluator& evaluator, const plan::Front& front,
                                      plan::Measure first, plan::Measure second);
[[nodiscard]] std::string front_table(const plan::Evaluator& evaluator, const plan::Front& front,
                                      plan::Measure first, plan::Measure second);

// The stages of a pipeline in order.
[[nodiscard]] Document pipeline_document(const plan::CostGraph& costs,
                                         const plan::Pipeline& pipeline);

}  // namespace adamec::report
