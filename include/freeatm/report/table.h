// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <optional>
#include <string>
#include <vector>

namespace freeatm::report {

/// Rows of names and numbers. Each column's numbers carry bars, from 0 to its greatest.
struct Table {
  struct Row {
    std::string name;
    std::string command;                        // what made it: stands under the name
    std::vector<std::optional<double>> values;  // one a column
  };
  std::vector<std::string> columns;
  std::vector<Row> rows;

  std::string html() const;
};

}  // namespace freeatm::report
