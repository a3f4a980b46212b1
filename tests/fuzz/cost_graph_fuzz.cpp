// Cost graphs: what is read is planned, within little work, on every path of the planner.
#include "adamec/base/file.h"
#include "adamec/plan/compare/competitors.h"
#include "adamec/plan/cost/cost_graph.h"
#include "adamec/plan/search/pipeline.h"
#include "tests/fuzz/fuzz.h"
#include "tests/support/run_command.h"

namespace adamec::fuzz {

std::vector<std::string> seeds() {
  std::vector<std::string> all;
  for (const char* name : {"toy", "mixed", "budget"}) {
    all.push_back(
        read_file(testing::source_path(std::string("tests/golden/plan/") + name + ".costs.json")));
  }
  all.push_back(R"({"tiers": [{"name": "d", "block_overhead_ms": 1}, {"name": "e", "slowdown": 2},
    {"name": "c", "power_watts": 3}],
    "links": [{"from": "d", "to": "e", "bytes_per_second": 10, "latency_ms": 1},
    {"from": "e", "to": "c", "bytes_per_second": 10, "serialisation_ms_per_byte": 0.1},
    {"from": "c", "to": "e", "bytes_per_second": 1e300}],
    "tensors": [{"id": "x", "bytes": 5}, {"id": "y"}],
    "atoms": [{"id": "a", "inputs": ["x"], "outputs": ["y"], "latency_ms": [1, 2, 3]}],
    "inputs": [{"tensor": "x", "tier": "d"}], "outputs": [{"tensor": "y", "tier": "c"}]})");
  return all;
}

}  // namespace adamec::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace adamec;
  const std::string text(reinterpret_cast<const char*>(data), size);
  fuzz::expect_refused_or_read([&] {
    const v1::CostGraph message = plan::parse_cost_message(text, "fuzz.json");
    const plan::CostGraph costs = plan::make_cost_graph(message, "fuzz.json");
    const plan::Evaluator evaluator(costs);
    plan::SearchLimits limits;
    limits.work = 20'000;
    const plan::Plan plan = plan::find_optimal(evaluator, limits);
    fuzz::expect(plan.evaluation.feasible(), "a plan can run");
    fuzz::expect(plan.gap >= 0 && plan.gap <= 1, "a gap is a share");
    fuzz::expect(plan.lower_bound_ms <= plan.evaluation.latency_ms, "a bound is below");
    (void)plan::make_cost_graph(message, "fuzz.json");
    if (costs.atom_count() <= 8) (void)plan::compare(evaluator, plan);
    (void)plan::find_pipeline(evaluator);
  });
  return 0;
}
