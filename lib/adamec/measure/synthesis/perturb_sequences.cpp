#include "adamec/measure/synthesis/perturb_sequences.h"

#include <algorithm>

namespace adamec::measure {
namespace {

bool is_attention(const Call& call) {
  return call.rank("query") >= 3 && call.rank("key") == call.rank("query") &&
         call.rank("value") == call.rank("query") && call.rank("attn_mask") == 0;
}

void change_attention(const Call& call, Random& random) {
  const Shape& query = *call.shape("query");
  const int rank = query.size();
  const std::int64_t heads = random.near(query.Get(rank - 3));
  const std::int64_t depth = random.near(query.Get(rank - 1));
  const std::int64_t length = random.near(query.Get(rank - 2));
  for (const char* name : {"query", "key", "value"}) {
    Shape& shape = *call.shape(name);
    shape.Set(rank - 3, heads);
    shape.Set(rank - 2, length);
    shape.Set(rank - 1, depth);
  }
}

bool is_multi_head_attention(const Call& call) {
  const std::int64_t width = call.number("embed_dim", 0);
  const std::int64_t heads = call.number("num_head", 0);
  const auto matrix = [&](const char* name, std::int64_t rows) {
    const Shape* shape = call.shape(name);
    return shape != nullptr && shape->size() == 2 && shape->Get(0) == rows &&
           shape->Get(1) == width;
  };
  const auto sequence = [&](const char* name) {
    return call.rank(name) == 3 && call.shape(name)->Get(2) == width;
  };
  return width >= 1 && heads >= 1 && width % heads == 0 && sequence("query") && sequence("key") &&
         sequence("value") && matrix("qkv_weight", 3 * width) && matrix("proj_weight", width) &&
         call.rank("qkv_bias") == 1 && call.rank("proj_bias") == 1 && call.rank("mask") == 0;
}

void change_multi_head_attention(const Call& call, Random& random) {
  const std::int64_t heads_before = call.number("num_head", 1);
  const std::int64_t depth = random.near(call.number("embed_dim", 1) / heads_before);
  const std::int64_t heads = random.near(heads_before);
  const std::int64_t width = heads * depth;
  const std::int64_t length = random.near(call.shape("query")->Get(1));
  for (const char* name : {"query", "key", "value"}) {
    call.shape(name)->Set(1, length);
    call.shape(name)->Set(2, width);
  }
  call.set_number("embed_dim", width);
  call.set_number("num_head", heads);
  for (const char* name : {"qkv_weight", "qkv_bias"}) call.shape(name)->Set(0, 3 * width);
  for (const char* name : {"proj_weight", "proj_bias"}) call.shape(name)->Set(0, width);
  for (const char* name : {"qkv_weight", "proj_weight"}) call.shape(name)->Set(1, width);
}

// Gates of 4 (LSTM) or 3 (GRU) times the hidden size; every further layer reads the one below, from
// both directions.
bool is_recurrent(const Call& call) {
  const v1::Argument* params = call.find("params");
  const v1::Argument* states = call.find("hx");
  if (params == nullptr || states == nullptr || call.rank("input") != 3) return false;
  const int gates = call.name() == "aten::gru.input" ? 3 : 4;
  const bool biases = call.has("has_biases") && call.find("has_biases")->literal() == "true";
  const bool both = call.has("bidirectional") && call.find("bidirectional")->literal() == "true";
  const auto layers = call.number("num_layers", 0) * (both ? 2 : 1);
  if (states->tensors_size() == 0 || layers < 1 ||
      params->tensors_size() != layers * (biases ? 4 : 2)) {
    return false;
  }
  const std::int64_t hidden =
      states->tensors(0).shape_size() == 3 ? states->tensors(0).shape(2) : 0;
  return hidden >= 1 && std::all_of(params->tensors().begin(), params->tensors().end(),
                                    [&](const v1::TensorType& type) {
                                      return type.shape_size() >= 1 &&
                                             type.shape(0) == gates * hidden;
                                    });
}

void change_recurrent(const Call& call, Random& random) {
  v1::Argument& params = *call.find("params");
  v1::Argument& states = *call.find("hx");
  Shape& input = *call.shape("input");
  const std::int64_t hidden_before = states.tensors(0).shape(2);
  const std::int64_t gates = params.tensors(0).shape(0) / hidden_before;
  const std::int64_t hidden = random.near(hidden_before);
  const std::int64_t features_before = input.Get(2);
  const std::int64_t features = random.near(features_before);
  const int steps =
      call.has("batch_first") && call.find("batch_first")->literal() == "true" ? 1 : 0;
  input.Set(steps, random.near(input.Get(steps)));
  input.Set(2, features);
  const bool both = call.find("bidirectional")->literal() == "true";
  const int first_layer = (call.find("has_biases")->literal() == "true" ? 4 : 2) * (both ? 2 : 1);
  for (v1::TensorType& type : *states.mutable_tensors()) type.set_shape(2, hidden);
  for (int i = 0; i < params.tensors_size(); ++i) {
    v1::TensorType& type = *params.mutable_tensors(i);
    type.set_shape(0, gates * hidden);
    if (type.shape_size() < 2) continue;
    const bool reads_below = i % (first_layer / (both ? 2 : 1)) == 0;
    if (!reads_below) {
      type.set_shape(1, hidden);
    } else {
      type.set_shape(1, i < first_layer ? features : hidden * (both ? 2 : 1));
    }
  }
}

}  // namespace

Rule attention_rule() { return {is_attention, change_attention}; }
Rule multi_head_attention_rule() { return {is_multi_head_attention, change_multi_head_attention}; }
Rule recurrent_rule() { return {is_recurrent, change_recurrent}; }

}  // namespace adamec::measure
