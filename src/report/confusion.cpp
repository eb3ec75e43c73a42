// SPDX-License-Identifier: Apache-2.0
#include "freeatm/report/confusion.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include <nlohmann/json.hpp>

#include "freeatm/core/error.h"
#include "freeatm/core/json.h"
#include "freeatm/report/html.h"
#include "freeatm/report/table.h"

#include "number.h"

namespace freeatm::report {
namespace {

constexpr size_t kListedPairs = 15;
constexpr size_t kLongestLabel = 24;    // bytes
constexpr double kLeastShare = 0.0005;  // what is less is not drawn: a tenth of a percent

struct Matrix {
  std::vector<std::string> truth, predicted;  // names; predicted has one more where some pixels have no class
  std::vector<std::vector<double>> pixels;    // [truth, predicted]
  std::vector<double> sums;                   // of each row
  size_t left_out = 0;

  double share(size_t row, size_t column) const { return sums[row] > 0 ? pixels[row][column] / sums[row] : 0; }
};

/// Throws nlohmann's exceptions where it is none of ours.
Matrix read_matrix(const nlohmann::json& json) {
  const auto names = json.at("classes").get<std::vector<std::string>>();
  auto counts = json.at("counts").get<std::vector<std::vector<double>>>();
  const auto no_class = json.at("no_class").get<std::vector<double>>();
  Matrix matrix;
  std::vector<size_t> kept;
  for (size_t k = 0; k < names.size(); ++k) {
    double sum = no_class.at(k);
    for (size_t other = 0; other < names.size(); ++other) sum += counts.at(k).at(other) + counts.at(other).at(k);
    sum > 0 ? kept.push_back(k) : (void)++matrix.left_out;
  }
  const bool has_no_class = std::ranges::any_of(no_class, [](double count) { return count > 0; });
  for (const size_t row : kept) {
    auto& values = matrix.pixels.emplace_back();
    for (const size_t column : kept) values.push_back(counts[row][column]);
    if (has_no_class) values.push_back(no_class[row]);
    double& sum = matrix.sums.emplace_back(0);
    for (const double value : values) sum += value;
    matrix.truth.push_back(names[row]);
  }
  matrix.predicted = matrix.truth;
  if (has_no_class) matrix.predicted.emplace_back("no class");
  return matrix;
}

struct Pair {
  size_t row, column;
};

std::string pairs_html(const Matrix& matrix) {
  std::vector<Pair> pairs;
  for (size_t row = 0; row < matrix.truth.size(); ++row) {
    for (size_t column = 0; column < matrix.predicted.size(); ++column) {
      if (row != column && matrix.pixels[row][column] > 0) pairs.push_back({row, column});
    }
  }
  std::ranges::stable_sort(pairs, std::ranges::greater(),
                           [&](const Pair& pair) { return matrix.share(pair.row, pair.column); });
  if (pairs.size() > kListedPairs) pairs.resize(kListedPairs);
  if (pairs.empty()) return "";
  Table table{{"share of its pixels", "pixels"}, {}};
  for (const auto& [row, column] : pairs)
    table.rows.push_back({matrix.truth[row] + " taken for " + matrix.predicted[column],
                          "",
                          {matrix.share(row, column), matrix.pixels[row][column]}});
  return "<div><h4>Most often confused</h4>\n" + table.html() + "</div>\n";
}

std::string label_text(const std::string& name) {
  if (name.size() <= kLongestLabel) return escape(name);
  size_t end = kLongestLabel - 2;
  while (end > 0 && (name[end] & 0xC0) == 0x80) --end;  // not within a character
  return escape(name.substr(0, end)) + "…";
}

/// Sides in CSS pixels.
struct Layout {
  int cell, font, margin;
  bool has_numbers;
};

Layout layout_of(const Matrix& matrix) {
  const size_t classes = matrix.predicted.size();
  Layout layout{};
  layout.cell = classes <= 12 ? 44 : classes <= 30 ? 27 : classes <= 60 ? 16 : classes <= 100 ? 12 : 9;
  layout.font = std::min(13, std::max(8, layout.cell - 2));
  layout.has_numbers = layout.cell >= 27;
  size_t longest = 0;
  for (const std::string& name : matrix.predicted) longest = std::max(longest, std::min(name.size(), kLongestLabel));
  layout.margin = static_cast<int>(0.6 * layout.font * static_cast<double>(longest)) + 14;
  return layout;
}

std::string cell_svg(const Matrix& matrix, const Layout& layout, size_t row, size_t column) {
  const double share = matrix.share(row, column);
  if (share < kLeastShare) return "";
  const bool is_right = row == column;
  const int x = layout.margin + static_cast<int>(column) * layout.cell,
            y = layout.margin + static_cast<int>(row) * layout.cell;
  const std::string percent = number(std::round(1000 * share) / 10) + " %";
  const std::string title = is_right ? format("{}: {} right", matrix.truth[row], percent)
                                     : format("{} taken for {}: {}, {} pixels", matrix.truth[row],
                                              matrix.predicted[column], percent, number(matrix.pixels[row][column]));
  // The root, so that a few percent are seen.
  std::string svg = format(
      "<g><title>{}</title><rect class=\"{}\" x=\"{}\" y=\"{}\" width=\"{}\" height=\"{}\" "
      "fill-opacity=\"{}\"/>",
      escape(title), is_right ? "right" : "wrong", x, y, layout.cell, layout.cell, number(0.8 * std::sqrt(share)));
  if (layout.has_numbers && share >= 0.005)
    svg += format("<text class=\"share\" x=\"{}\" y=\"{}\">{}</text>", x + layout.cell / 2, y + layout.cell / 2,
                  std::lround(100 * share));
  return svg + "</g>\n";
}

std::string matrix_svg(const Matrix& matrix) {
  const Layout layout = layout_of(matrix);
  const auto side = [&](size_t count) { return static_cast<int>(count) * layout.cell; };
  const int width = side(matrix.predicted.size()), height = side(matrix.truth.size());
  std::string svg = format(
      "<svg width=\"{}\" height=\"{}\" font-size=\"{}\" role=\"img\" aria-label=\"confusion "
      "matrix\">\n<rect class=\"ground\" x=\"{}\" y=\"{}\" width=\"{}\" height=\"{}\"/>\n",
      layout.margin + width + 1, layout.margin + height + 1, layout.font, layout.margin, layout.margin, width, height);
  for (size_t row = 0; row < matrix.truth.size(); ++row) {
    svg += format("<text class=\"truth\" x=\"{}\" y=\"{}\">{}</text>\n", layout.margin - 6,
                  layout.margin + side(row) + layout.cell / 2, label_text(matrix.truth[row]));
  }
  for (size_t column = 0; column < matrix.predicted.size(); ++column) {
    svg +=
        format("<text class=\"predicted\" transform=\"translate({} {}) rotate(-90)\">{}</text>\n",
               layout.margin + side(column) + layout.cell / 2, layout.margin - 6, label_text(matrix.predicted[column]));
  }
  for (size_t row = 0; row < matrix.truth.size(); ++row) {
    for (size_t column = 0; column < matrix.predicted.size(); ++column) svg += cell_svg(matrix, layout, row, column);
  }
  return svg + "</svg>\n";
}

}  // namespace

std::string confusion_html(const fs::path& file) {
  try {
    const Matrix matrix = read_matrix(read_json(file));
    std::string legend = "Rows: what is there; columns: what it is taken for, wrongly in orange; percent of the row.";
    if (matrix.left_out > 0)
      legend += format(" {} {} neither there nor predicted.", matrix.left_out,
                       matrix.left_out == 1 ? "class is" : "classes are");
    return "<div class=\"confusion\">\n" + pairs_html(matrix) + "<figure><figcaption>" + legend + "</figcaption>\n" +
           matrix_svg(matrix) + "</figure>\n</div>\n";
  } catch (const nlohmann::json::exception& error) {
    throw UserError(file.string(), "", "is not an evaluation's confusion matrix: {}", error.what());
  } catch (const std::out_of_range&) {
    throw UserError(file.string(), "", "is not an evaluation's confusion matrix: a row or a column is short");
  }
}

}  // namespace freeatm::report
