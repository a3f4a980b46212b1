#pragma once

#include <cstddef>
#include <set>
#include <string>

namespace adamec::torchscript {

// What partial evaluation assumes of a model because earlier attempts have shown it. An attempt
// that learns more does not count: the next begins anew, with what was learnt. Sets only grow.
struct Assumptions {
  std::set<std::string> attributes;  // paths of those that the method assigns or writes to
  std::set<std::string> in_place;    // of these, those whose memory it writes to
  std::set<std::string> from_data;   // numbers and shapes that depend on the inputs' content
  std::set<std::string> varying;     // guards that do not hold in every run, sizes that differ
  // It is tried whether all attributes hold after a run what they held before: then there is no
  // state, although the method assigns to some.
  bool unchanging = false;

  [[nodiscard]] std::size_t size() const {
    return attributes.size() + in_place.size() + from_data.size() + varying.size();
  }
};

// Thrown where an attempt cannot go on with what it assumed.
struct LearntMore {};

}  // namespace adamec::torchscript
