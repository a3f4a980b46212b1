#include "adamec/plan/atlas/envelope.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>

namespace adamec::plan {
namespace {

TEST(Envelope, OfTwoLinesHasTheirCrossing) {
  Envelope envelope({0}, {10});
  EXPECT_TRUE(envelope.add(std::vector<double>{0, 1}, 0));
  EXPECT_TRUE(envelope.add(std::vector<double>{6, 0}, 0));
  EXPECT_FALSE(envelope.add(std::vector<double>{7, 0}, 0)) << "nowhere below";
  std::vector<std::pair<double, double>> vertices;
  for (const auto* vertex : envelope.vertices()) {
    vertices.push_back({vertex->at[0], vertex->height});
  }
  std::sort(vertices.begin(), vertices.end());
  const std::vector<std::pair<double, double>> expected{{0, 0}, {6, 6}, {10, 6}};
  EXPECT_EQ(vertices, expected);
}

TEST(Envelope, ALineWithinTheToleranceIsNotAdded) {
  Envelope envelope({0}, {1});
  envelope.add(std::vector<double>{100, 0}, 0);
  EXPECT_FALSE(envelope.add(std::vector<double>{99.5, 0}, 0.01));
  EXPECT_TRUE(envelope.add(std::vector<double>{98.5, 0}, 0.01));
}

TEST(Envelope, WithoutParametersIsTheLeastNumber) {
  Envelope envelope({}, {});
  envelope.add(std::vector<double>{5}, 0);
  envelope.add(std::vector<double>{3}, 0);
  ASSERT_EQ(envelope.vertices().size(), 1u);
  EXPECT_EQ(envelope.vertices()[0]->height, 3);
}

// The envelope is concave, so at any point it is at least what any vertices around it give; and it
// must not miss a plane: heights at the vertices are the minimum of all planes, and every plane
// that is lowest at a random point is at the vertices around it.
TEST(Envelope, VerticesAreTheLowestOfAllPlanesAndEveryLowestPlaneHasAFacet) {
  for (unsigned seed = 1; seed <= 60; ++seed) {
    SCOPED_TRACE(seed);
    std::mt19937 random(seed);
    std::uniform_real_distribution<double> real(0, 10);
    const std::size_t dimensions = 1 + seed % 3;
    Envelope envelope(std::vector<double>(dimensions, 0), std::vector<double>(dimensions, 1));
    std::vector<std::vector<double>> planes;
    for (int i = 0; i < 20; ++i) {
      std::vector<double> plane;
      for (std::size_t k = 0; k <= dimensions; ++k) plane.push_back(real(random));
      planes.push_back(plane);
      envelope.add(plane, 0);
    }
    const auto lowest = [&](const std::vector<double>& at) {
      double best = 1e300;
      for (const auto& plane : planes) {
        double height = plane[0];
        for (std::size_t k = 0; k < dimensions; ++k) height += plane[k + 1] * at[k];
        best = std::min(best, height);
      }
      return best;
    };
    std::vector<int> count(envelope.plane_count(), 0);
    for (const auto* vertex : envelope.vertices()) {
      EXPECT_NEAR(vertex->height, lowest(vertex->at), 1e-9);
      for (int plane : envelope.planes_at(*vertex)) {
        EXPECT_NEAR(envelope.height(plane, vertex->at), vertex->height, 1e-9);
        ++count[plane];
      }
    }
    for (int i = 0; i < 500; ++i) {
      std::vector<double> at;
      for (std::size_t k = 0; k < dimensions; ++k) at.push_back(real(random) / 10);
      double best = 1e300;
      std::size_t plane = 0;
      for (std::size_t k = 0; k < envelope.plane_count(); ++k) {
        if (envelope.height(k, at) < best) best = envelope.height(plane = k, at);
      }
      EXPECT_NEAR(best, lowest(at), 1e-9) << "a plane was left out";
      EXPECT_GT(count[plane], static_cast<int>(dimensions)) << "a lowest plane without facet";
    }
  }
}

}  // namespace
}  // namespace adamec::plan
