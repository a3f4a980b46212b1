#include "adamec/train/folds.h"

#include <algorithm>
#include <random>
#include <set>
#include <utility>

#include "adamec/predict/features.h"
#include "adamec/predict/work.h"

namespace adamec::train {
namespace {

Fold empty_fold(const TrainingData& data) {
  const std::size_t composites = data.composites.size();
  return {std::vector<char>(data.measurements.size(), 0),
          std::vector<char>(data.slowdowns.size(), 0), std::vector<char>(composites, 0),
          std::vector<char>(composites, 0)};
}

// Whether a block is mostly made of work that is left out: the same network under another name.
bool mostly_held(const v1::Sample& block, const WorkKeys& keys, const std::set<std::string>& held) {
  const auto count =
      std::count_if(block.parts().begin(), block.parts().end(),
                    [&](const std::string& part) { return held.contains(keys.of_part(part)); });
  return 2 * count >= block.parts_size();
}

// A fold that holds out the given work.
Fold fold_of(const TrainingData& data, const WorkKeys& keys, const std::set<std::string>& held) {
  Fold fold = empty_fold(data);
  for (std::size_t i = 0; i < data.measurements.size(); ++i) {
    fold.measurements[i] = held.contains(keys.of(*data.measurements[i].sample));
  }
  for (std::size_t i = 0; i < data.slowdowns.size(); ++i) {
    fold.slowdowns[i] = held.contains(keys.of(*data.slowdowns[i].sample));
  }
  for (std::size_t i = 0; i < data.composites.size(); ++i) {
    fold.hidden_composites[i] = mostly_held(*data.composites[i].sample, keys, held);
  }
  return fold;
}

// Fisher-Yates on the generator's own numbers: std::shuffle differs between libraries.
void shuffle(std::vector<std::string>& items, std::uint64_t seed) {
  std::mt19937_64 generator(seed);
  for (std::size_t i = items.size(); i > 1; --i) std::swap(items[i - 1], items[generator() % i]);
}

Folds config_folds(const TrainingData& data, const WorkKeys& keys, std::uint64_t seed) {
  std::set<std::string> distinct;
  for (const auto& measurement : data.measurements) distinct.insert(keys.of(*measurement.sample));
  std::vector<std::string> works(distinct.begin(), distinct.end());
  shuffle(works, seed);
  const std::size_t wanted = works.size() < 500 ? 10 : 5;
  const std::size_t count = std::min(works.size(), wanted);
  Folds result;
  for (std::size_t part = 0; part < count; ++part) {
    std::set<std::string> held;
    for (std::size_t i = part; i < works.size(); i += count) {
      held.insert(works[i]);
      result.fold_of_work[works[i]] = part;
    }
    result.folds.push_back(fold_of(data, keys, held));
  }
  return result;
}

Folds model_folds(const TrainingData& data, const WorkKeys& keys) {
  std::map<std::string, std::set<std::string>> by_model;
  for (const Measurement& measurement : data.measurements) {
    for (const std::string& model : measurement.models) {
      by_model[model].insert(keys.of(*measurement.sample));
    }
  }
  Folds result;
  for (const auto& [model, works] : by_model) {
    Fold fold = fold_of(data, keys, works);
    for (std::size_t i = 0; i < data.composites.size(); ++i) {
      if (!data.composites[i].models.contains(model)) continue;
      fold.composites[i] = 1;
      fold.hidden_composites[i] = 1;
    }
    result.folds.push_back(std::move(fold));
  }
  return result;
}

Folds block_folds(const TrainingData& data) {
  std::map<std::string, Fold> by_model;
  for (std::size_t i = 0; i < data.composites.size(); ++i) {
    for (const std::string& model : data.composites[i].models) {
      Fold& fold = by_model.try_emplace(model, empty_fold(data)).first->second;
      fold.composites[i] = fold.hidden_composites[i] = 1;
    }
  }
  Folds result;
  for (auto& [model, fold] : by_model) result.folds.push_back(std::move(fold));
  return result;
}

Folds context_folds(const TrainingData& data) {
  std::map<std::pair<unsigned, double>, Fold> folds;
  const auto fold_at = [&](unsigned threads, double load) -> Fold& {
    return folds.try_emplace({threads, load}, empty_fold(data)).first->second;
  };
  for (std::size_t i = 0; i < data.measurements.size(); ++i) {
    fold_at(data.measurements[i].threads, 0).measurements[i] = 1;
  }
  for (std::size_t i = 0; i < data.slowdowns.size(); ++i) {
    fold_at(data.slowdowns[i].threads, data.slowdowns[i].cpu_load).slowdowns[i] = 1;
  }
  for (std::size_t i = 0; i < data.composites.size(); ++i) {
    Fold& fold = fold_at(data.composites[i].threads, data.composites[i].cpu_load);
    fold.composites[i] = 1;
    fold.hidden_composites[i] = 1;
  }
  Folds result;
  for (auto& [context, fold] : folds) result.folds.push_back(std::move(fold));
  return result;
}

}  // namespace

WorkKeys::WorkKeys(const TrainingData& data) {
  for (const Measurement& measurement : data.measurements) {
    const v1::Sample& sample = *measurement.sample;
    by_signature_.try_emplace(sample.signature(), predict::work_key(predict::work_of(sample, 1)));
  }
  for (const auto& [signature, part] : data.parts) {
    by_signature_.try_emplace(signature, predict::work_key(predict::work_of(*part, 1)));
  }
}

Folds folds_of(const TrainingData& data, const WorkKeys& keys, HoldOut hold_out,
               std::uint64_t seed) {
  switch (hold_out) {
    case HoldOut::kModel:
      return model_folds(data, keys);
    case HoldOut::kContext:
      return context_folds(data);
    case HoldOut::kBlock:
      return block_folds(data);
    case HoldOut::kConfig:
      break;
  }
  return config_folds(data, keys, seed);
}

}  // namespace adamec::train
