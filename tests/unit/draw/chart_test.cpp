#include "adamec/draw/chart.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace adamec::draw {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

// The plot lies between x = 64 and 600 and, from below to above, between y = 374 and 14.
TEST(ScatterChart, PointsLieWhereTheirValuesAre) {
  const std::string svg = scatter_chart({"x", true, 1, 100}, {"y", false, 0, 10},
                                        {{10, 5, "#123456", "the <middle>"}}, 0.1);
  EXPECT_THAT(svg, HasSubstr("<title>the &lt;middle&gt;</title>\n"
                             "<circle cx='332' cy='194' r='3' fill='#123456'/>"));
}

TEST(ScatterChart, KeepsPointsWithinTheAxes) {
  const std::string svg =
      scatter_chart({"x", true, 1, 100}, {"y", true, 1, 100}, {{1e9, 1e-9, "#000000", "far"}}, 0.1);
  EXPECT_THAT(svg, HasSubstr("<circle cx='600' cy='374'"));
}

TEST(ScatterChart, TheBandIsAroundTheDiagonal) {
  const std::string svg = scatter_chart({"x", false, 0, 10}, {"y", false, 0, 20}, {}, 0.5);
  EXPECT_THAT(svg, HasSubstr("<line x1='64' y1='374' x2='600' y2='194' class='ideal'/>"));
  EXPECT_THAT(svg, HasSubstr("<polygon points='64,374 600,104 600,284 64,374' class='band'/>"));
}

TEST(ScatterChart, NamesItsAxes) {
  const std::string svg = scatter_chart({"a & b", true, 1, 100}, {"c", true, 1, 100}, {}, 0.1);
  EXPECT_THAT(svg, HasSubstr(">a &amp; b</text>"));
  EXPECT_THAT(svg, HasSubstr("aria-label='c against a &amp; b'"));
  for (const char* tick : {">1<", ">2<", ">50<", ">100<"}) EXPECT_THAT(svg, HasSubstr(tick));
}

TEST(LineChart, DrawsEveryLineAndNamesIt) {
  const std::string svg =
      line_chart({"x", false, 0, 10}, {"y", false, 0, 100},
                 {{"first", "line", {{0, 0}, {5, 50}, {99, 100}}}, {"second", "ideal", {}}});
  EXPECT_THAT(svg,
              HasSubstr("<polyline points='64,374 332,194 600,14' fill='none' class='line'/>"));
  EXPECT_THAT(svg, HasSubstr(">first</text>"));
  EXPECT_THAT(svg, HasSubstr(">second</text>"));
}

TEST(BoxChart, ShowsTheQuantiles) {
  const std::string svg =
      box_chart({"error, %", false, -50, 50}, {{"conv", 12, {-100, -10, 0, 10, 25}}});
  // From 230 to 600: 3.7 pixels a percent.
  EXPECT_THAT(svg, HasSubstr(">conv (12)</text>"));
  EXPECT_THAT(svg, HasSubstr("<line x1='230' y1='25' x2='507.5' y2='25' class='axis'/>"));
  EXPECT_THAT(svg, HasSubstr("<rect x='378' y='19' width='74' height='12' class='box'/>"));
  EXPECT_THAT(svg, HasSubstr("<line x1='415' y1='19' x2='415' y2='31' class='line'/>"));
  EXPECT_THAT(box_chart({"x", false, -1, 1}, {}), Not(HasSubstr("<rect")));
}

}  // namespace
}  // namespace adamec::draw
