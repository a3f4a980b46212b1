#include "adamec/draw/svg.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>

#include "adamec/draw/colours.h"
#include "adamec/draw/html_page.h"
#include "adamec/draw/text.h"

namespace adamec::draw {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

TEST(Text, IsEscaped) {
  EXPECT_EQ(escaped("<a href=\"x\">&'"), "&lt;a href=&quot;x&quot;&gt;&amp;&#39;");
  EXPECT_EQ(escaped("a\n\tb\x01"), "a  b?");
  EXPECT_EQ(escaped("µs – Ω"), "µs – Ω");
}

TEST(Text, PixelsHaveNoNeedlessDigits) {
  EXPECT_EQ(pixels(12), "12");
  EXPECT_EQ(pixels(0.25), "0.2");
  EXPECT_EQ(pixels(-0.01), "0");
  EXPECT_EQ(pixels(1234.56), "1234.6");
}

TEST(Colours, AreDifferent) {
  std::set<std::string> fills;
  std::set<std::string> lines;
  for (std::size_t i = 0; i < 3 * kColourCount; ++i) fills.insert(fill_colour(i));
  for (std::size_t i = 0; i < kColourCount; ++i) lines.insert(line_colour(i));
  EXPECT_EQ(fills.size(), 3 * kColourCount);
  EXPECT_EQ(lines.size(), kColourCount);
  EXPECT_EQ(fill_colour(0).size(), 7u);
}

TEST(Svg, WritesElementsInOrder) {
  Svg svg(200, 100);
  svg.begin_group("a <title>");
  svg.line(0, 50.04, 200, 50, "stroke='#888'");
  svg.end_group();
  svg.text(100, 45, "a < b", Svg::Anchor::kMiddle);
  svg.polyline({{1, 2}, {3.5, 4}}, "stroke='#000'");
  svg.rotated_text(14, 50, "up");
  EXPECT_EQ(
      svg.str(),
      "<svg xmlns='http://www.w3.org/2000/svg' width='200' height='100' viewBox='0 0 200 100' "
      "font-family='sans-serif' font-size='12' fill='#222'>\n"
      "<rect width='200' height='100' fill='#fff'/>\n"
      "<g><title>a &lt;title&gt;</title>\n"
      "<line x1='0' y1='50' x2='200' y2='50' stroke='#888'/>\n"
      "</g>\n"
      "<text x='100' y='45' text-anchor='middle'>a &lt; b</text>\n"
      "<polyline points='1,2 3.5,4' fill='none' stroke='#000'/>\n"
      "<text x='14' y='50' text-anchor='middle' transform='rotate(-90 14 50)'>up</text>\n"
      "</svg>\n");
}

TEST(Svg, AnElementOfAPageHasNoGroundOfItsOwn) {
  Svg svg(200, 100);
  svg.circle(1, 2, 3, "fill='#000'");
  EXPECT_EQ(svg.element("what's \"shown\""),
            "<svg xmlns='http://www.w3.org/2000/svg' class='chart' role='img' "
            "aria-label='what&#39;s &quot;shown&quot;' viewBox='0 0 200 100'>\n"
            "<circle cx='1' cy='2' r='3' fill='#000'/>\n</svg>\n");
}

TEST(HtmlPage, EscapesItsTitleAndNeedsNothingElse) {
  const std::string page = html_page("A <title> & more", "<p>body</p>\n");
  EXPECT_THAT(page, StartsWith("<!DOCTYPE html>"));
  EXPECT_THAT(page, HasSubstr("<title>A &lt;title&gt; &amp; more</title>"));
  EXPECT_THAT(page, HasSubstr("<h1>A &lt;title&gt; &amp; more</h1>\n<p>body</p>\n</body>"));
  for (const char* other : {"<script", "href=", "src=", "url(", "@import"}) {
    EXPECT_THAT(page, Not(HasSubstr(other)));
  }
}

TEST(HtmlPage, CellsAndSwatches) {
  EXPECT_EQ(html_cell("a&b"), "<td>a&amp;b</td>");
  EXPECT_EQ(html_number_cell("1<2"), "<td class=\"number\">1&lt;2</td>");
  EXPECT_EQ(html_swatch("#123456"), "<span class=\"swatch\" style=\"background: #123456\"></span>");
}

}  // namespace
}  // namespace adamec::draw
