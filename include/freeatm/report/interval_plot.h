// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace freeatm::report {

/// Rows of values on one axis: each value a dot, their mean a line, and a bar from one number to another.
struct IntervalPlot {
  struct Row {
    std::string name;
    std::vector<double> values;
    std::optional<std::pair<double, double>> bar;
  };
  std::string title, x_label;
  std::vector<Row> rows;
  std::optional<double> reference;  // a line through all rows

  /// A <figure>; "" where no row has a value.
  std::string html() const;
};

}  // namespace freeatm::report
