#pragma once

#include <string>

#include "adamec/plan/cost/cost_graph.h"

namespace adamec::testing {

// Two tiers, device -> edge 1000 bytes/ms and back 2000 bytes/ms, 5 ms per move:
//
//   x (2000 B, device) -> a -> t (8000 B) -> b -> y (1000 B, device)
//
// a: 12 | 1.5 ms, b: 3 | 0.5 ms (device | edge); weights 100 and 400 B, activations 50 and 20 B.
inline v1::CostGraph toy_message() {
  v1::CostGraph message;
  message.set_name("toy");
  for (const char* name : {"device", "edge"}) message.add_tiers()->set_name(name);
  const auto add_link = [&](const char* from, const char* to, double rate) {
    v1::CostGraph::Link* link = message.add_links();
    link->set_from(from);
    link->set_to(to);
    link->set_bytes_per_second(rate);
    link->set_latency_ms(5);
  };
  add_link("device", "edge", 1e6);
  add_link("edge", "device", 2e6);
  const auto add_tensor = [&](const char* id, std::uint64_t bytes) {
    v1::CostGraph::Tensor* tensor = message.add_tensors();
    tensor->set_id(id);
    tensor->set_bytes(bytes);
  };
  add_tensor("x", 2000);
  add_tensor("t", 8000);
  add_tensor("y", 1000);
  const auto add_atom = [&](const char* id, const char* input, const char* output, double device,
                            double edge, std::uint64_t weights, std::uint64_t activation) {
    v1::CostGraph::Atom* atom = message.add_atoms();
    atom->set_id(id);
    atom->add_inputs(input);
    atom->add_outputs(output);
    atom->add_latency_ms(device);
    atom->add_latency_ms(edge);
    atom->set_weight_bytes(weights);
    atom->set_activation_bytes(activation);
  };
  add_atom("a", "x", "t", 12, 1.5, 100, 50);
  add_atom("b", "t", "y", 3, 0.5, 400, 20);
  v1::CostGraph::Endpoint* input = message.add_inputs();
  input->set_tensor("x");
  input->set_tier("device");
  v1::CostGraph::Endpoint* output = message.add_outputs();
  output->set_tensor("y");
  output->set_tier("device");
  return message;
}

inline plan::CostGraph toy() { return plan::make_cost_graph(toy_message(), "toy.json"); }

}  // namespace adamec::testing
