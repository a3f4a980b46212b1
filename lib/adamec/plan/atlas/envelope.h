#pragma once

#include <cstddef>
#include <span>
#include <vector>

namespace adamec::plan {

// The lower envelope of planes over a box: the largest function that is nowhere above any of them.
//
// Kept as the vertices of the region below it (double description; Motzkin et al., 1953), each with
// the planes and sides of the box it lies on. Meant for up to four parameters.
class Envelope {
 public:
  struct Vertex {
    std::vector<double> at;  // one coordinate per parameter
    double height = 0;
    std::vector<int> tight;  // ascending: what it lies on, see plane_of()
  };

  // low[i] < high[i]. No plane yet: the envelope is infinitely high.
  Envelope(std::vector<double> low, std::vector<double> high);

  // Lowers the envelope to the plane c[0] + c[1] x[0] + c[2] x[1] + ..., which is nowhere negative
  // in the box. False when it is nowhere below by more than a share of `tolerance`.
  bool add(std::span<const double> plane, double tolerance);

  [[nodiscard]] std::size_t dimensions() const { return low_.size(); }
  // Vertices of the envelope itself: where planes meet each other or the sides of the box.
  [[nodiscard]] std::vector<const Vertex*> vertices() const;
  // Indices of the planes a vertex lies on, in the order in which they were added.
  [[nodiscard]] std::vector<int> planes_at(const Vertex& vertex) const;
  [[nodiscard]] double height(std::size_t plane, std::span<const double> at) const;
  [[nodiscard]] const std::vector<double>& plane(std::size_t index) const { return planes_[index]; }
  [[nodiscard]] std::size_t plane_count() const { return planes_.size(); }

 private:
  bool adjacent(const Vertex& a, const Vertex& b, std::vector<int>& common) const;
  bool is_floor(const Vertex& vertex) const;
  int first_plane() const { return static_cast<int>(2 * low_.size()) + 1; }
  void add_corners();

  std::vector<double> low_;
  std::vector<double> high_;
  std::vector<std::vector<double>> planes_;
  // Of the region between the envelope and a floor below all planes.
  std::vector<Vertex> vertices_;
};

}  // namespace adamec::plan
