// SPDX-License-Identifier: Apache-2.0
#include "freeatm/report/plot.h"

#include <cmath>
#include <limits>

#include "freeatm/report/interval_plot.h"

#include "testing.h"

namespace freeatm::report {
namespace {

int occurrences(const std::string& text, const std::string& part) {
  int count = 0;
  for (size_t at = text.find(part); at != std::string::npos; at = text.find(part, at + 1)) ++count;
  return count;
}

TEST(NiceTicks, AreMultiplesOfOneTwoOrFiveInsideTheRange) {
  EXPECT_EQ(nice_ticks(0, 10, 6), (std::vector<double>{0, 2, 4, 6, 8, 10}));
  EXPECT_EQ(nice_ticks(3, 4321, 5), (std::vector<double>{1000, 2000, 3000, 4000}));
  EXPECT_EQ(nice_ticks(-1, 1, 5), (std::vector<double>{-1, -0.5, 0, 0.5, 1}));
}

TEST(NiceTicks, AreNeverTooManyNorFewerThanTwo) {
  for (double low : {-7.3, 0.0, 1e-6, 12.34}) {
    for (double span : {1e-5, 0.37, 1.0, 99.0, 12345.6}) {
      const auto ticks = nice_ticks(low, low + span, 6);
      ASSERT_GE(ticks.size(), 2u) << low << " " << span;
      ASSERT_LE(ticks.size(), 6u) << low << " " << span;
      EXPECT_GE(ticks.front(), low - span * 1e-6);
      EXPECT_LE(ticks.back(), low + span * (1 + 1e-6));
      const double step = ticks[1] - ticks[0], digit = step / std::pow(10.0, std::floor(std::log10(step) + 1e-6));
      EXPECT_LT(std::min({std::abs(digit - 1), std::abs(digit - 2), std::abs(digit - 5)}), 1e-3) << digit;
    }
  }
}

TEST(Thinned, KeepsTheMeanAndShortSeriesAsTheyAre) {
  const Series series{"loss", {1, 2, 3, 4, 5, 6}, {6, 4, 2, 0, 8, 10}};
  EXPECT_EQ(thinned(series, 6).y, series.y);
  EXPECT_EQ(thinned(series, 3).x, (std::vector<double>{1.5, 3.5, 5.5}));
  EXPECT_EQ(thinned(series, 3).y, (std::vector<double>{5, 1, 9}));
}

TEST(LinePlot, HasALineALegendAndTooltipsForEachSeries) {
  const std::string html =
      LinePlot{"Loss", "step", "loss", {{"random", {0, 10}, {3, 1}}, {"mask & more", {0, 10}, {2, 0.5}}}}.html();
  EXPECT_EQ(occurrences(html, "class=\"series"), 2);
  EXPECT_EQ(occurrences(html, "<title>"), 4);
  EXPECT_NE(html.find("<li class=\"c1\">mask &amp; more</li>"), std::string::npos);
  EXPECT_NE(html.find("step 10: 0.5</title>"), std::string::npos);
}

TEST(LinePlot, GreaterIsHigherAndLaterIsFurtherRight) {
  const std::string html = LinePlot{"", "", "", {{"", {0, 1}, {0, 1}}}}.html();
  double x0, y0, x1, y1;
  const size_t at = html.find("<path d=\"M", html.find("class=\"series"));
  ASSERT_EQ(std::sscanf(html.c_str() + at, "<path d=\"M%lf %lfL%lf %lf\"", &x0, &y0, &x1, &y1), 4);
  EXPECT_LT(x0, x1);
  EXPECT_GT(y0, y1);
}

TEST(LinePlot, LeavesAGapWhereAValueIsNotFinite) {
  const double nan = std::numeric_limits<double>::quiet_NaN();
  const std::string html = LinePlot{"", "", "", {{"", {0, 1, 2, 3}, {1, nan, 2, 3}}}}.html();
  EXPECT_EQ(html.find("nan"), std::string::npos);
  const size_t line = html.find("<path d=\"M", html.find("class=\"series"));
  const std::string path = html.substr(line, html.find("/>", line) - line);
  EXPECT_EQ(occurrences(path, "M"), 2);
  EXPECT_EQ(occurrences(path, "L"), 1);
}

TEST(LinePlot, DrawsOnePointAndConstantLines) {
  EXPECT_EQ(LinePlot({"", "", "", {{"", {5}, {2}}}}).html().find("nan"), std::string::npos);
  EXPECT_EQ(LinePlot({"", "", "", {{"", {1, 2}, {0, 0}}}}).html().find("inf"), std::string::npos);
}

TEST(IntervalPlot, HasADotForEachValueAndABarWhereThereIsOne) {
  IntervalPlot plot{
      .title = "accuracy", .x_label = "top-1", .rows = {{"a & b", {0.6, 0.7}, std::pair(0.55, 0.75)}, {"c", {}, {}}}};
  const std::string html = plot.html();
  EXPECT_EQ(occurrences(html, "<circle"), 2);
  EXPECT_EQ(occurrences(html, "<title>mean 0.65</title>"), 1);
  EXPECT_EQ(occurrences(html, "stroke-width:2"), 1);
  EXPECT_EQ(occurrences(html, "a &amp; b"), 1);
  EXPECT_EQ(occurrences(html, "stroke-dasharray"), 0);
  plot.reference = 0.6;
  EXPECT_EQ(occurrences(plot.html(), "stroke-dasharray"), 1);
}

TEST(IntervalPlot, IsNothingWithoutValuesAndSomethingOfOne) {
  EXPECT_EQ((IntervalPlot{.rows = {{"a", {}, {}}}}).html(), "");
  EXPECT_EQ(occurrences(IntervalPlot{.rows = {{"a", {0.5}, {}}}}.html(), "<circle"), 1);
}

}  // namespace
}  // namespace freeatm::report
