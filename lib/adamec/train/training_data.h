#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "adamec/v1/samples.pb.h"

namespace adamec::train {

// Sample sets carry no version of their own: fields are only ever added.
inline constexpr std::uint32_t kSampleFormatVersion = 1;

// The samples of several files as one set. Throws Error, naming file, sample and field, for files
// that are not sample sets and samples whose numbers cannot be.
struct SampleFiles {
  v1::SampleSet samples;
  std::string sha256;  // of the files' bytes in order: the same for the files concatenated
};
[[nodiscard]] SampleFiles read_samples(const std::vector<std::string>& paths);

// One configuration, measured without load.
//
// The label is the undisturbed time (proto/latency.h) at the host's core speed: on shared machines
// it repeats where a median or, when the frequency moves, a minimum does not. Of several runs of
// the tool, the mean of those near the fastest. Where one thread was kept from the CPU even in its
// fastest run, the run's CPU time is the label.
struct Measurement {
  const v1::Sample* sample = nullptr;
  unsigned threads = 1;
  double us = 0;
  double even_us = 0;  // the label of half the visits each; 0: there was one visit
  double odd_us = 0;
  std::set<std::string> models;  // that contain it
};

// One configuration under load, as a ratio to the unloaded one of the same round: both saw the same
// state of the machine, which absolute times of different moments do not. Of the mean
// (proto/latency.h) to the undisturbed time.
struct Slowdown {
  const v1::Sample* sample = nullptr;
  unsigned threads = 1;
  double cpu_load = 0;
  double ratio = 1;
  double unloaded_us = 0;  // of the configuration's Measurement
};

// A block or a whole model, measured as one module. Under load, `us` is the unloaded latency times
// the ratio within a round, as for Slowdown.
struct Composite {
  const v1::Sample* sample = nullptr;
  unsigned threads = 1;
  double cpu_load = 0;
  double us = 0;
  double even_us = 0;
  double odd_us = 0;
  std::set<std::string> models;

  [[nodiscard]] bool whole_model() const { return sample->subject() == v1::MODEL; }
};

// An atom or a whole model with little memory, as a ratio to the same without limit.
struct Pressure {
  double needed_bytes = 0;  // weights and activations
  double limit_bytes = 0;
  double ratio = 1;
};

// What a predictor is trained from. In an order that does not depend on the order of samples.
struct TrainingData {
  v1::Host host;
  double core_speed = 0;  // that all times are taken over to; 0: not known
  std::vector<Measurement> measurements;
  std::vector<Slowdown> slowdowns;
  std::vector<Composite> composites;
  std::vector<Pressure> pressures;
  std::size_t unpaired = 0;        // samples under load or memory limit without a partner: not used
  std::size_t preempted = 0;       // samples whose CPU time is the label
  std::size_t incomplete = 0;      // blocks with parts the files do not describe: not used
  std::size_t other_contexts = 0;  // CPU quota, frequency or device asked for: not used
  // What the composites consist of, by signature.
  std::map<std::string, const v1::Configuration*> parts;
};

// Takes the samples of one host; `samples` must outlive the result. `host_id` empty: the only host
// there is. Throws Error when there are several, none of that id, or no atom measured without load.
[[nodiscard]] TrainingData training_data(const v1::SampleSet& samples, const std::string& host_id,
                                         const std::string& source);

}  // namespace adamec::train
