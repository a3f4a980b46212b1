#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "adamec/v1/archive.pb.h"

namespace adamec::measure {

using Shape = google::protobuf::RepeatedField<std::int64_t>;

// A call of an operator, by its arguments' names.
class Call {
 public:
  explicit Call(v1::Operator& op) : op_(op) {}

  [[nodiscard]] const std::string& name() const { return op_.name(); }
  [[nodiscard]] v1::Argument* find(const std::string& argument) const;
  [[nodiscard]] bool has(const std::string& argument) const { return find(argument) != nullptr; }

  // The shape of an argument that is one tensor; null when it is none.
  [[nodiscard]] Shape* shape(const std::string& argument) const;
  // Its rank; 0 when it is no tensor.
  [[nodiscard]] int rank(const std::string& argument) const;

  // The whole numbers of a literal: "[2, 2]" -> {2, 2}.
  [[nodiscard]] std::vector<std::int64_t> numbers(const std::string& argument) const;
  // The first of them.
  [[nodiscard]] std::int64_t number(const std::string& argument, std::int64_t otherwise) const;
  void set_numbers(const std::string& argument, const std::vector<std::int64_t>& numbers) const;
  void set_number(const std::string& argument, std::int64_t number) const;

  // Weights of one length that follow the channels: biases, scales, means.
  void set_vectors(std::int64_t length) const;

  [[nodiscard]] double bytes() const;  // of all tensors, four per element
  // Roughly, and only where weights or products make it many.
  [[nodiscard]] double macs() const;

 private:
  v1::Operator& op_;
};

}  // namespace adamec::measure
