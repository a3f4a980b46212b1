#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <unordered_map>
#include <vector>

#include "adamec/torchscript/specialise/assumptions.h"
#include "adamec/torchscript/specialise/known_value.h"
#include "adamec/torchscript/specialise/residual_writer.h"

namespace adamec::torchscript {

// What the exception of a guard says after the guard's own text (Residual::guards).
inline constexpr char kGuardText[] = " has another shape or type than ";

// Shapes and sizes that are taken for granted although they may be different in another run: those
// that depend on the model's state, and those of arguments whose sizes are open.
//
// Whatever is taken for granted is checked in the graph, unless the assumptions say that it varies;
// then it is not known. The same place of the program has the same name in every attempt.
class ShapeGuards {
 public:
  // The others must outlive this object. `open_sizes`: whether sizes of arguments are open.
  ShapeGuards(const Assumptions& assumptions, ResidualWriter& writer, bool open_sizes);
  [[nodiscard]] bool open_sizes() const { return open_sizes_; }

  // The nodes of the block get their names. Every block before it is run.
  void number_nodes(jit::Block* block);
  // The name of this step of the program: node and how many times it has been run.
  [[nodiscard]] std::string step(const jit::Node* node);

  // The shape of a tensor of the graph may be different in the next run. Where it depends on the
  // model's state alone and has not been seen to change, it is taken for granted.
  void assume_shape(KnownValue& tensor, bool from_state, const std::string& guard);

  // What a query of sizes gave at that place; whether such answers differ from run to run.
  void note_answer(const std::string& place, std::int64_t answer) { answers_[place] = answer; }
  [[nodiscard]] bool varies(const std::string& place) const {
    return assumptions_.varying.count(place) != 0;
  }
  // Results of a query of the size of a tensor whose sizes are open. Sizes that have been the same
  // for all example arguments are known; the others are code. Nothing: it is no such query.
  [[nodiscard]] std::optional<KnownValues> answer_size_query(jit::Node* node,
                                                             const KnownValues& inputs);

  // Residual::guards and Residual::answers.
  [[nodiscard]] const std::vector<std::string>& guards() const { return guards_; }
  [[nodiscard]] const std::map<std::string, std::int64_t>& answers() const { return answers_; }

 private:
  void check_sizes(const std::string& guard, const KnownValuePtr& tensor,
                   const std::set<std::size_t>& known);
  jit::Value* guarded(const KnownValue& tensor, const std::string& guard,
                      const std::set<std::size_t>* known_sizes);

  const Assumptions& assumptions_;
  ResidualWriter& writer_;
  const bool open_sizes_;
  std::unordered_map<const jit::Node*, int> node_ids_;
  std::map<int, int> times_;  // that a node has been run
  std::map<KnownValuePtr, std::set<std::size_t>> checked_sizes_;
  std::vector<std::string> guards_;
  std::map<std::string, std::int64_t> answers_;
};

}  // namespace adamec::torchscript
