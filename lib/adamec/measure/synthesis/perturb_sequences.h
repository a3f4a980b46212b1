#pragma once

#include "adamec/measure/synthesis/perturb_rules.h"

// Rules of what works on sequences.
namespace adamec::measure {

// Scaled dot-product attention: query, key and value of [..., heads, length, depth].
[[nodiscard]] Rule attention_rule();
// The whole layer in one call, projections included: query, key and value of [batch, length,
// width].
[[nodiscard]] Rule multi_head_attention_rule();
// LSTM and GRU, with all their layers and directions.
[[nodiscard]] Rule recurrent_rule();

}  // namespace adamec::measure
