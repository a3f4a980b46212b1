#include <fmt/format.h>

#include "adamec/archive/archive.h"
#include "adamec/predict/predictor.h"
#include "tools/adamec-plan/atlas.h"
#include "tools/adamec-plan/bundle.h"
#include "tools/adamec-plan/options.h"
#include "tools/adamec-plan/plan.h"
#include "tools/adamec-plan/write_goal.h"
#include "tools/common/run_tool.h"

int main(int argc, char** argv) {
  using namespace adamec;
  using namespace adamec::tools;
  const ToolInfo info{
      "adamec-plan",
      "Plan which atoms of a model run on the device and which on the edge, so that one inference "
      "takes the shortest time in the given context.",
      "  adamec-plan resnet18.atoms --context context.yaml --compare -o plan.yaml\n"
      "  adamec-plan --costs costs.json --format json\n",
      fmt::format("archive format {}, predictor format {}, without LibTorch",
                  archive::kArchiveFormatVersion, predict::kPredictorFormatVersion),
      option_details()};
  PlanOptions options;
  return run_tool(
      argc, argv, info, [&](CLI::App& app) { add_options(app, options); },
      [&](const CommonOptions& common, const Console& console) -> int {
        const PlanConfig config = understand(options, common.json);
        if (!config.extra.lookup.empty()) {
          run_lookup(config, common);
          return kDone;
        }
        const PlanInput input = read_input(config, console);
        if (config.extra.atlas) return run_atlas(input, config, common, console);
        const plan::Evaluator evaluator(input.costs);
        if (!config.goal.is_latency()) {
          write_goal(input, evaluator, config, common, console);
          return kDone;
        }
        const plan::Plan plan = choose_explained_plan(input, evaluator, config);
        if (!config.extra.bundle.empty()) {
          if (const int code = make_bundle(input, config, {plan}, "")) return code;
        }
        write_plan(plan, input, evaluator, config, common, console);
        return kDone;
      });
}
