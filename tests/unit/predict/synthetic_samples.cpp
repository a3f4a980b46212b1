#include "tests/unit/predict/synthetic_samples.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <random>

#include "adamec/predict/signature.h"
#include "adamec/predict/work.h"

namespace adamec::testing {
namespace {

using Shape = std::vector<std::int64_t>;

void set_type(v1::TensorType& type, const Shape& shape) {
  type.set_dtype(v1::FLOAT32);
  type.mutable_shape()->Assign(shape.begin(), shape.end());
}

void add_tensor(v1::Operator& op, const std::string& name, const Shape& shape, bool weight) {
  v1::Argument& argument = *op.add_arguments();
  argument.set_name(name);
  argument.set_weight(weight);
  set_type(*argument.add_tensors(), shape);
}

void add_numbers(v1::Operator& op, const std::string& name, const std::vector<double>& numbers) {
  v1::Argument& argument = *op.add_arguments();
  argument.set_name(name);
  argument.set_literal(fmt::format("[{}]", fmt::join(numbers, ", ")));
  argument.mutable_numbers()->Assign(numbers.begin(), numbers.end());
}

v1::Atom finish(v1::Operator op, const Shape& result, std::int64_t macs, const char* backend) {
  set_type(*op.add_results(), result);
  op.set_macs(static_cast<std::uint64_t>(macs));
  op.set_backend_one_thread(backend);
  op.set_backend_many_threads(backend);
  v1::Atom atom;
  atom.set_id("atom");
  atom.set_kind(v1::OPERATOR);
  atom.set_macs(op.macs());
  *atom.add_operators() = std::move(op);
  return atom;
}

// Standard library distributions differ between libraries; these do not.
class Random {
 public:
  explicit Random(std::uint64_t seed) : generator_(seed) {}
  double uniform() { return static_cast<double>(generator_() >> 11) * 0x1p-53; }
  std::int64_t pick(const Shape& from) { return from[generator_() % from.size()]; }
  double normal() {  // Irwin-Hall
    double sum = -6;
    for (int i = 0; i < 12; ++i) sum += uniform();
    return sum;
  }

 private:
  std::mt19937_64 generator_;
};

v1::Atom random_atom(Random& random) {
  const Shape channels = {3, 16, 24, 32, 40, 64, 96, 128, 160, 192, 256};
  const Shape sizes = {7, 8, 14, 17, 18, 28, 32, 56};
  const double kind = random.uniform();
  const auto in = random.pick(channels);
  const auto size = random.pick(sizes);
  if (kind < 0.5) {
    return conv2d(in, random.pick(channels), size, random.pick({1, 3, 5}), random.pick({1, 2}));
  }
  if (kind < 0.6) return conv2d(in, in, size, 3, random.pick({1, 2}), in);
  if (kind < 0.75) {
    return linear(random.pick({1, 16, 49, 196}), in * 4, random.pick({10, 100, 256, 1000, 1024}));
  }
  return relu({1, in, size, size});
}

}  // namespace

v1::Atom conv2d(std::int64_t channels_in, std::int64_t channels_out, std::int64_t size,
                std::int64_t kernel, std::int64_t stride, std::int64_t groups) {
  v1::Operator op;
  op.set_name("aten::conv2d");
  const Shape weight = {channels_out, channels_in / groups, kernel, kernel};
  add_tensor(op, "input", {1, channels_in, size, size}, false);
  add_tensor(op, "weight", weight, true);
  const auto double_of = [](std::int64_t value) { return static_cast<double>(value); };
  add_numbers(op, "stride", {double_of(stride), double_of(stride)});
  add_numbers(op, "padding", {double_of(kernel / 2), double_of(kernel / 2)});
  add_numbers(op, "dilation", {1, 1});
  add_numbers(op, "groups", {double_of(groups)});
  const std::int64_t out = (size + 2 * (kernel / 2) - kernel) / stride + 1;
  const std::int64_t macs = channels_out * out * out * channels_in / groups * kernel * kernel;
  return finish(std::move(op), {1, channels_out, out, out}, macs,
                size > 17 || kernel == 1 ? "Mkldnn" : "Slow2d");
}

v1::Atom linear(std::int64_t rows, std::int64_t columns_in, std::int64_t columns_out) {
  v1::Operator op;
  op.set_name("aten::linear");
  add_tensor(op, "input", {rows, columns_in}, false);
  add_tensor(op, "weight", {columns_out, columns_in}, true);
  add_tensor(op, "bias", {columns_out}, true);
  return finish(std::move(op), {rows, columns_out}, rows * columns_in * columns_out, "");
}

v1::Atom relu(const Shape& shape) {
  v1::Operator op;
  op.set_name("aten::relu");
  add_tensor(op, "self", shape, false);
  return finish(std::move(op), shape, 0, "");
}

double true_latency_us(const v1::Atom& atom, unsigned threads, double load) {
  const predict::Work work = predict::work_of(atom, threads);
  const double gmacs = work.backend == "Slow2d" ? 4e3 : 3e4;  // MACs per microsecond
  const double compute = work.macs / gmacs / std::pow(threads, 0.85);
  const double memory = work.bytes() / 8e3 / std::pow(threads, 0.3);
  const double unloaded = 3 + std::max(compute, memory) + 0.3 * std::min(compute, memory);
  const double hurt = 0.6 + 0.4 * compute / (compute + memory);
  return unloaded * std::exp(hurt * load * (threads > 1 ? 1.3 : 0.9));
}

v1::SampleSet synthetic_samples(const SyntheticOptions& options) {
  Random random(options.seed);
  v1::SampleSet set;
  v1::Host& host = *set.add_hosts();
  host.set_id(options.host_id);
  host.set_cpu_model("Synthetic CPU");
  host.set_cores(2);
  for (std::size_t i = 0; i < options.configurations; ++i) {
    const v1::Atom atom = random_atom(random);
    for (const unsigned threads : options.threads) {
      for (const double load : options.loads) {
        v1::Sample& sample = *set.add_samples();
        sample.set_host_id(options.host_id);
        sample.set_subject(v1::ATOM);
        sample.set_kind(atom.kind());
        sample.set_signature(predict::signature(atom));
        *sample.mutable_operators() = atom.operators();
        sample.set_macs(atom.macs());
        sample.mutable_context()->set_threads(threads);
        sample.mutable_context()->set_cpu_load(load);
        sample.add_models(fmt::format("net{}", i % 4));
        sample.set_round(fmt::format("r{}", i / 16));
        const double us = options.law(atom, threads, load);
        const double even = us * std::exp(options.noise * random.normal());
        const double odd = us * std::exp(options.noise * random.normal());
        v1::Latency& latency = *sample.mutable_latency();
        latency.set_even_min_us(even);
        latency.set_odd_min_us(odd);
        latency.set_min_us(std::min(even, odd));
        latency.set_p50_us(1.03 * std::max(even, odd));
        latency.set_p95_us(1.1 * latency.p50_us());
        latency.set_visits(4);
        latency.set_runs(100);
      }
    }
  }
  return set;
}

namespace {

using Row = std::vector<const v1::Sample*>;

v1::Sample block_of(const Row& parts, v1::Subject subject, const std::string& model, double call_us,
                    double share) {
  v1::Sample block;
  const v1::Sample& first = *parts.front();
  block.set_host_id(first.host_id());
  block.set_subject(subject);
  *block.mutable_context() = first.context();
  block.set_round(first.round());
  block.add_models(model);
  block.set_sample_atom(model + "/block");
  std::string signature = v1::Subject_Name(subject) + ":";
  double us = 0;
  for (std::size_t i = 0; i < parts.size(); ++i) {
    const double own = parts[i]->latency().min_us();
    block.add_parts(parts[i]->signature());
    signature += fmt::format(" {:x}", predict::signature_hash(parts[i]->signature()));
    us += i == 0 ? own : own * (1 - share) - call_us;
    if (i == 0) continue;
    v1::Edge& edge = *block.add_edges();
    edge.set_producer(static_cast<std::uint32_t>(i - 1));
    edge.set_consumer(static_cast<std::uint32_t>(i));
    edge.set_bytes(1000);
  }
  block.set_signature(signature);
  for (const auto set :
       {&v1::Latency::set_min_us, &v1::Latency::set_p50_us, &v1::Latency::set_p95_us,
        &v1::Latency::set_even_min_us, &v1::Latency::set_odd_min_us}) {
    (block.mutable_latency()->*set)(us);
  }
  return block;
}

}  // namespace

void add_synthetic_blocks(v1::SampleSet& set, double call_us, double share) {
  std::map<std::string, Row> rows;  // by model, threads and load
  for (const v1::Sample& sample : set.samples()) {
    v1::Configuration& part = *set.add_configurations();
    part.set_signature(sample.signature());
    part.set_kind(sample.kind());
    *part.mutable_operators() = sample.operators();
    part.set_macs(sample.macs());
    rows[fmt::format("{} {} {}", sample.models(0), sample.context().threads(),
                     sample.context().cpu_load())]
        .push_back(&sample);
  }
  std::vector<v1::Sample> blocks;
  for (const auto& [name, row] : rows) {
    const std::string model = name.substr(0, name.find(' '));
    blocks.push_back(block_of(row, v1::MODEL, model, call_us, share));
    for (std::size_t i = 0; i + 5 <= row.size(); i += 3) {
      blocks.push_back(block_of({row.begin() + static_cast<std::ptrdiff_t>(i),
                                 row.begin() + static_cast<std::ptrdiff_t>(i + 5)},
                                v1::BLOCK, model, call_us, share));
    }
  }
  for (v1::Sample& block : blocks) *set.add_samples() = std::move(block);
}

}  // namespace adamec::testing
