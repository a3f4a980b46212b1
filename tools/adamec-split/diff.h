#pragma once

#include <string>
#include <vector>

#include "adamec/v1/archive.pb.h"

namespace adamec::tools {

// One difference between two archives.
struct Difference {
  std::string subject;  // "archive", "input", "output", "tensor" or "atom"
  std::string id;       // of the tensor, atom or input; the field, for "archive"
  std::string change;   // "added", "removed" or what changed: "configuration", "weights", ...
  std::string before;   // as text; empty: not there, or nothing to show
  std::string after;
};

// What changed from one manifest to the other, archive first, then inputs, output, tensors and
// atoms in the order of `a`. Empty if and only if the manifests are equal in every field, and so
// the archives in every byte that matters: records are compared by their SHA-256.
[[nodiscard]] std::vector<Difference> differences(const v1::Manifest& a, const v1::Manifest& b);

// One line per difference, like "atom conv1: weights: 37632 B, sha256 0a1b... -> 37632 B, ...", and
// a last line that counts them. Empty when there is none.
[[nodiscard]] std::string differences_text(const std::vector<Difference>& differences);
[[nodiscard]] std::string differences_json(const std::vector<Difference>& differences);

}  // namespace adamec::tools
