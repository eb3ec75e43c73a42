// SPDX-License-Identifier: Apache-2.0
#include "freeatm/report/interval_plot.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include "freeatm/report/html.h"
#include "freeatm/report/plot.h"

#include "number.h"

namespace freeatm::report {
namespace {

constexpr double kRowHeight = 30, kPlotWidth = 720, kMargin = 16, kBelow = 48;
constexpr double kLetter = 7, kNarrowest = 80, kWidest = 380;  // of the names' column

double mean_of(const std::vector<double>& values) {
  return std::accumulate(values.begin(), values.end(), 0.0) / double(values.size());
}

struct Scale {
  double low, high;
  double left;  // pixels in front of the axis, for the names

  std::string x(double value) const {
    return number(std::round((left + (value - low) / (high - low) * (kPlotWidth - left - kMargin)) * 10) / 10);
  }
};

Scale scale_of(const IntervalPlot& plot) {
  double low = std::numeric_limits<double>::infinity(), high = -low;
  size_t longest = 0;
  const auto include = [&](double value) { low = std::min(low, value), high = std::max(high, value); };
  for (const IntervalPlot::Row& row : plot.rows) {
    longest = std::max(longest, row.name.size());
    std::ranges::for_each(row.values, include);
    if (row.bar) include(row.bar->first), include(row.bar->second);
  }
  if (plot.reference) include(*plot.reference);
  const double margin = high > low ? (high - low) * 0.05 : std::max(std::abs(low) * 0.1, 1e-12);
  return {low - margin, high + margin, std::clamp(kLetter * double(longest) + kMargin, kNarrowest, kWidest)};
}

std::string text_at(const std::string& x, double y, const char* anchor, const std::string& text) {
  return "<text x=\"" + x + "\" y=\"" + number(y) + "\" text-anchor=\"" + anchor + "\">" + escape(text) + "</text>\n";
}

std::string axis(const Scale& scale, double bottom, const std::string& label) {
  std::string out;
  const auto ticks = nice_ticks(scale.low, scale.high, 6);
  const double step = ticks.size() > 1 ? ticks[1] - ticks[0] : 1.0;
  for (const double tick : ticks) {
    out += "<path class=\"grid\" d=\"M" + scale.x(tick) + " " + number(kMargin) + "V" + number(bottom) + "\"/>";
    out += text_at(scale.x(tick), bottom + 18, "middle", number_on_scale(tick, step));
  }
  return out + text_at(number((scale.left + kPlotWidth - kMargin) / 2), bottom + 38, "middle", label);
}

std::string row_svg(const IntervalPlot::Row& row, const Scale& scale, double y) {
  std::string out = text_at(number(scale.left - 10), y + 5, "end", row.name);
  if (row.values.empty()) return out;
  out += "<g class=\"c0\" style=\"fill:var(--c);stroke:var(--c)\">";
  if (row.bar) {
    out += "<path style=\"stroke-width:2\" d=\"M" + scale.x(row.bar->first) + " " + number(y) + "H" +
           scale.x(row.bar->second) + "\"/>";
  }
  const double mean = mean_of(row.values);
  out += "<path style=\"stroke-width:3\" d=\"M" + scale.x(mean) + " " + number(y - 9) + "V" + number(y + 9) +
         "\"><title>mean " + number(mean) + "</title></path>";
  for (const double value : row.values) {
    out += "<circle style=\"fill-opacity:.45;stroke:none\" cx=\"" + scale.x(value) + "\" cy=\"" + number(y) +
           "\" r=\"5\"><title>" + number(value) + "</title></circle>";
  }
  return out + "</g>\n";
}

}  // namespace

std::string IntervalPlot::html() const {
  if (std::ranges::all_of(rows, [](const Row& row) { return row.values.empty(); })) return "";
  const Scale scale = scale_of(*this);
  const double bottom = kMargin + kRowHeight * double(rows.size());
  std::string drawn = axis(scale, bottom, x_label);
  if (reference) {
    drawn += "<path style=\"stroke:var(--quiet);stroke-dasharray:4 4\" d=\"M" + scale.x(*reference) + " " +
             number(kMargin) + "V" + number(bottom) + "\"/>\n";
  }
  for (size_t i = 0; i < rows.size(); ++i) drawn += row_svg(rows[i], scale, kMargin + kRowHeight * (double(i) + 0.5));
  return "<figure class=\"plot\">\n<figcaption><strong>" + escape(title) +
         "</strong></figcaption>\n<svg viewBox=\"0 0 " + number(kPlotWidth) + " " + number(bottom + kBelow) +
         "\" role=\"img\" aria-label=\"" + escape(title) + "\">\n" + drawn + "</svg>\n</figure>\n";
}

}  // namespace freeatm::report
