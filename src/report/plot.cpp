// SPDX-License-Identifier: Apache-2.0
#include "freeatm/report/plot.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "freeatm/core/error.h"
#include "freeatm/report/html.h"

#include "number.h"

namespace freeatm::report {
namespace {

constexpr size_t kColours = 8;    // --c0 ... --c7 in page.css
constexpr int64_t kPoints = 150;  // a line's most points: more are closer than a pointer can tell
constexpr double kLeft = 64, kRight = 16, kTop = 14, kBottom = 52;  // the margins around the axes, for the labels

struct Range {
  double low = std::numeric_limits<double>::infinity(), high = -std::numeric_limits<double>::infinity();

  void include(double value) {
    if (!std::isfinite(value)) return;
    low = std::min(low, value);
    high = std::max(high, value);
  }
  /// Wide enough to divide by, with a margin of this share on both sides.
  Range padded(double share) const {
    if (low > high) return {0, 1};
    const double margin = high > low ? (high - low) * share : std::max(std::abs(low) * 0.1, 1e-12);
    return {low - margin, high + margin};
  }
};

std::string coordinate(double value) { return number(std::round(value * 10) / 10); }

std::string svg_text(double x, double y, const char* anchor, const std::string& text) {
  return "<text x=\"" + coordinate(x) + "\" y=\"" + coordinate(y) + "\" text-anchor=\"" + anchor + "\">" +
         escape(text) + "</text>\n";
}

/// Data to pixels, and the lines that are the same for every series.
struct Axes {
  Range x, y;
  double width, height;

  double px(double value) const { return kLeft + (value - x.low) / (x.high - x.low) * (width - kLeft - kRight); }
  double py(double value) const {
    return height - kBottom - (value - y.low) / (y.high - y.low) * (height - kTop - kBottom);
  }

  std::string svg(const std::string& x_label, const std::string& y_label) const {
    std::string out;
    const auto xs = nice_ticks(x.low, x.high, 7), ys = nice_ticks(y.low, y.high, 6);
    const auto step = [](const std::vector<double>& ticks) { return ticks.size() > 1 ? ticks[1] - ticks[0] : 1.0; };
    for (double tick : ys) {
      const std::string at = coordinate(py(tick));
      out += "<path class=\"grid\" d=\"M" + coordinate(kLeft) + " " + at + "H" + coordinate(width - kRight) + "\"/>";
      out += svg_text(kLeft - 8, py(tick) + 4, "end", number_on_scale(tick, step(ys)));
    }
    for (double tick : xs) out += svg_text(px(tick), height - kBottom + 20, "middle", number_on_scale(tick, step(xs)));
    out += svg_text((kLeft + width - kRight) / 2, height - 8, "middle", x_label);
    out += "<g transform=\"rotate(-90)\">" + svg_text(-(kTop + height - kBottom) / 2, 14, "middle", y_label) + "</g>\n";
    return out;
  }
};

std::string line(const Series& series, const Axes& axes, const LinePlot& plot, size_t index) {
  std::string path, points;
  bool is_open = false;  // whether the pen is down
  for (size_t i = 0; i < series.y.size(); ++i) {
    if (!std::isfinite(series.y[i])) {
      is_open = false;
      continue;
    }
    const std::string x = coordinate(axes.px(series.x[i])), y = coordinate(axes.py(series.y[i]));
    path += (is_open ? "L" : "M") + x + " " + y;
    is_open = true;
    points += "<circle cx=\"" + x + "\" cy=\"" + y + "\" r=\"5\"><title>" + escape(series.name) + "\n" +
              escape(plot.x_label) + " " + number(series.x[i]) + ": " + number(series.y[i]) + "</title></circle>";
  }
  return "<g class=\"series c" + std::to_string(index % kColours) + "\"><path d=\"" + path + "\"/>" + points + "</g>\n";
}

}  // namespace

std::vector<double> nice_ticks(double low, double high, int64_t most) {
  FREEATM_CHECK(high > low && most >= 2, "no ticks for [{}, {}], {}", low, high, most);
  const double decade = std::pow(10.0, std::floor(std::log10((high - low) / double(most))));
  for (double factor : {1.0, 2.0, 5.0, 10.0, 20.0}) {
    const double step = decade * factor;
    const auto first = static_cast<int64_t>(std::ceil(low / step - 1e-9)),
               last = static_cast<int64_t>(std::floor(high / step + 1e-9));
    if (last - first + 1 > most) continue;
    std::vector<double> ticks;
    for (int64_t i = first; i <= last; ++i) ticks.push_back(double(i) * step);
    return ticks;
  }
  return {};
}

Series thinned(const Series& series, int64_t most) {
  const size_t count = series.y.size(), group = (count + size_t(most) - 1) / size_t(most);
  if (group <= 1) return series;
  Series out{series.name, {}, {}};
  for (size_t begin = 0; begin < count; begin += group) {
    const size_t end = std::min(begin + group, count);
    double x = 0, y = 0;
    for (size_t i = begin; i < end; ++i) {
      x += series.x[i];
      y += series.y[i];
    }
    out.x.push_back(x / double(end - begin));
    out.y.push_back(y / double(end - begin));
  }
  return out;
}

std::string LinePlot::html() const {
  Range x, y;
  std::vector<Series> lines;
  for (const Series& one : series) {
    FREEATM_CHECK(one.x.size() == one.y.size(), "series '{}' has {} x and {} y", one.name, one.x.size(), one.y.size());
    lines.push_back(thinned(one, kPoints));
    for (double value : lines.back().x) x.include(value);
    for (double value : lines.back().y) y.include(value);
  }
  const Axes axes{x.padded(0), y.padded(0.06), double(width), double(height)};
  std::string legend, drawn;
  for (size_t i = 0; i < lines.size(); ++i) {
    legend += "<li class=\"c" + std::to_string(i % kColours) + "\">" + escape(lines[i].name) + "</li>";
    drawn += line(lines[i], axes, *this, i);
  }
  return "<figure class=\"plot\">\n<figcaption><strong>" + escape(title) + "</strong><ul>" + legend +
         "</ul></figcaption>\n<svg viewBox=\"0 0 " + std::to_string(width) + " " + std::to_string(height) +
         "\" role=\"img\" aria-label=\"" + escape(title) + "\">\n" + axes.svg(x_label, y_label) + drawn +
         "</svg>\n</figure>\n";
}

}  // namespace freeatm::report
