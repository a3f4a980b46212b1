#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "adamec/v1/archive.pb.h"
#include "adamec/v1/samples.pb.h"

namespace adamec::testing {

// Operators with the arguments and results TorchScript gives them.
v1::Atom conv2d(std::int64_t channels_in, std::int64_t channels_out, std::int64_t size,
                std::int64_t kernel, std::int64_t stride = 1, std::int64_t groups = 1);
v1::Atom linear(std::int64_t rows, std::int64_t columns_in, std::int64_t columns_out);
v1::Atom relu(const std::vector<std::int64_t>& shape);

// What a machine that does not exist takes, without noise.
double true_latency_us(const v1::Atom& atom, unsigned threads, double load);

struct SyntheticOptions {
  std::size_t configurations = 60;
  std::vector<unsigned> threads = {1};
  std::vector<double> loads = {0};
  double noise = 0.02;  // standard deviation of the log of a latency
  std::uint64_t seed = 1;
  std::string host_id = "00112233aabbccdd";
  // Latency in us of an atom with a number of threads and a load.
  std::function<double(const v1::Atom&, unsigned, double)> law = true_latency_us;
};

// Samples of convolutions, linear layers and element-wise operators as networks use them. Same
// options, same samples.
v1::SampleSet synthetic_samples(const SyntheticOptions& options = {});

// Adds blocks (five atoms in a row) and, per model, a whole one, measured in every context of the
// set: the sum of their atoms less `share` of each atom that another one feeds and `call_us` per
// boundary.
void add_synthetic_blocks(v1::SampleSet& set, double call_us, double share);

}  // namespace adamec::testing
