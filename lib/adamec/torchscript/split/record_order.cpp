#include "adamec/torchscript/split/record_order.h"

#include <algorithm>
#include <functional>

namespace adamec::torchscript {

WeightUses::WeightUses(const Residual& residual, const std::vector<AtomDraft>& drafts) {
  for (const AtomDraft& draft : drafts) {
    for (jit::Value* value : draft.weights) ++left_[value];
  }
  for (jit::Value* output : residual.graph->outputs()) ++left_[output];
  const std::function<void(const KnownValue&)> keep = [&](const KnownValue& known) {
    if (known.residual != nullptr) ++left_[known.residual];
    for (const KnownValuePtr& element : known.elements) keep(*element);
  };
  keep(*residual.output);
}

std::vector<jit::Value*> WeightUses::finished(const AtomDraft& draft) {
  std::vector<jit::Value*> result;
  for (jit::Value* value : draft.weights) {
    if (--left_.at(value) == 0) result.push_back(value);
  }
  return result;
}

std::vector<std::size_t> largest_first(const Residual& residual,
                                       const std::vector<AtomDraft>& drafts) {
  std::vector<std::size_t> bytes(drafts.size(), 0);
  std::vector<std::size_t> order(drafts.size());
  for (std::size_t i = 0; i < drafts.size(); ++i) {
    order[i] = i;
    for (jit::Value* value : drafts[i].weights) {
      const c10::IValue& content = residual.weight_of(value).content;
      if (content.isTensor()) bytes[i] += content.toTensor().nbytes();
    }
  }
  std::stable_sort(order.begin(), order.end(),
                   [&](std::size_t a, std::size_t b) { return bytes[a] > bytes[b]; });
  return order;
}

}  // namespace adamec::torchscript
