#pragma once

#include <vector>

#include "adamec/train/training_data.h"
#include "adamec/v1/samples.pb.h"

namespace adamec::train {

using SampleList = std::vector<const v1::Sample*>;

// Fills data.measurements, slowdowns and pressures from samples of atoms of one host.
void add_atoms(const SampleList& samples, TrainingData& data);
// Fills data.composites, and adds the models' pressures.
void add_composites(const SampleList& samples, TrainingData& data);

}  // namespace adamec::train
