#include "adamec/plan/atlas/envelope.h"

#include <algorithm>
#include <cassert>
#include <cmath>
#include <iterator>

namespace adamec::plan {
namespace {

constexpr double kFloor = -1;
// Vertices this close to a plane, relative to their height, lie on it.
constexpr double kOn = 1e-12;

double height_of(std::span<const double> plane, std::span<const double> at) {
  double height = plane[0];
  for (std::size_t i = 0; i < at.size(); ++i) height += plane[i + 1] * at[i];
  return height;
}

}  // namespace

Envelope::Envelope(std::vector<double> low, std::vector<double> high)
    : low_(std::move(low)), high_(std::move(high)) {
  assert(low_.size() == high_.size());
  for (std::size_t i = 0; i < low_.size(); ++i) assert(low_[i] < high_[i]);
}

double Envelope::height(std::size_t plane, std::span<const double> at) const {
  return height_of(planes_[plane], at);
}

// The box's corners under the first plane, and on the floor. Sides have numbers 2i (low) and
// 2i + 1 (high), the floor comes next, then the planes.
void Envelope::add_corners() {
  const std::size_t dimensions = low_.size();
  const int floor = static_cast<int>(2 * dimensions);
  for (std::size_t corner = 0; corner < std::size_t{1} << dimensions; ++corner) {
    Vertex vertex;
    for (std::size_t i = 0; i < dimensions; ++i) {
      const bool high = corner >> i & 1;
      vertex.at.push_back(high ? high_[i] : low_[i]);
      vertex.tight.push_back(static_cast<int>(2 * i + high));
    }
    vertex.tight.push_back(floor);
    vertex.height = kFloor;
    vertices_.push_back(vertex);
    vertex.tight.back() = floor + 1;
    vertex.height = height(0, vertex.at);
    vertices_.push_back(std::move(vertex));
  }
}

bool Envelope::is_floor(const Vertex& vertex) const {
  return std::binary_search(vertex.tight.begin(), vertex.tight.end(), first_plane() - 1);
}

// Vertices joined by an edge share as many sides as an edge lies on, and no third one has them all.
bool Envelope::adjacent(const Vertex& a, const Vertex& b, std::vector<int>& common) const {
  common.clear();
  std::set_intersection(a.tight.begin(), a.tight.end(), b.tight.begin(), b.tight.end(),
                        std::back_inserter(common));
  if (common.size() < low_.size()) return false;
  return std::none_of(vertices_.begin(), vertices_.end(), [&](const Vertex& other) {
    return &other != &a && &other != &b &&
           std::includes(other.tight.begin(), other.tight.end(), common.begin(), common.end());
  });
}

bool Envelope::add(std::span<const double> plane, double tolerance) {
  assert(plane.size() == low_.size() + 1);
  if (planes_.empty()) {
    planes_.emplace_back(plane.begin(), plane.end());
    add_corners();
    return true;
  }
  std::vector<double> above(vertices_.size());
  bool cuts = false;
  for (std::size_t i = 0; i < vertices_.size(); ++i) {
    above[i] = vertices_[i].height - height_of(plane, vertices_[i].at);
    cuts = cuts || above[i] > std::max(tolerance, kOn) * std::abs(vertices_[i].height);
    if (std::abs(above[i]) <= kOn * std::abs(vertices_[i].height)) above[i] = 0;
  }
  if (!cuts) return false;
  const int number = first_plane() + static_cast<int>(planes_.size());
  planes_.emplace_back(plane.begin(), plane.end());
  std::vector<Vertex> kept;
  std::vector<int> common;
  for (std::size_t i = 0; i < vertices_.size(); ++i) {
    if (above[i] <= 0) continue;
    for (std::size_t k = 0; k < vertices_.size(); ++k) {
      if (above[k] >= 0 || !adjacent(vertices_[i], vertices_[k], common)) continue;
      const Vertex& high = vertices_[i];
      const Vertex& low = vertices_[k];
      const double share = above[i] / (above[i] - above[k]);
      Vertex vertex;
      for (std::size_t d = 0; d < low_.size(); ++d) {
        vertex.at.push_back(high.at[d] + share * (low.at[d] - high.at[d]));
      }
      vertex.height = height_of(plane, vertex.at);
      vertex.tight = common;
      vertex.tight.push_back(number);
      kept.push_back(std::move(vertex));
    }
  }
  std::vector<Vertex> old;
  for (std::size_t i = 0; i < vertices_.size(); ++i) {
    if (above[i] > 0) continue;
    if (above[i] == 0) vertices_[i].tight.push_back(number);
    old.push_back(std::move(vertices_[i]));
  }
  old.insert(old.end(), std::make_move_iterator(kept.begin()), std::make_move_iterator(kept.end()));
  vertices_ = std::move(old);
  return true;
}

std::vector<const Envelope::Vertex*> Envelope::vertices() const {
  std::vector<const Vertex*> result;
  for (const Vertex& vertex : vertices_) {
    if (!is_floor(vertex)) result.push_back(&vertex);
  }
  return result;
}

std::vector<int> Envelope::planes_at(const Vertex& vertex) const {
  std::vector<int> result;
  for (int tight : vertex.tight) {
    if (tight >= first_plane()) result.push_back(tight - first_plane());
  }
  return result;
}

}  // namespace adamec::plan
