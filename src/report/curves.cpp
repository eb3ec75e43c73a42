// SPDX-License-Identifier: Apache-2.0
#include "freeatm/report/curves.h"

#include <limits>
#include <sstream>

#include <nlohmann/json.hpp>

#include "freeatm/core/error.h"

namespace freeatm::report {

std::map<std::string, Series> read_curves(const fs::path& file, const std::string& name) {
  std::map<std::string, Series> curves;
  std::istringstream lines(read_file(file, "in"));
  std::string text;
  for (int64_t number = 1; std::getline(lines, text); ++number) {
    const auto line = nlohmann::ordered_json::parse(text, nullptr, /*allow_exceptions=*/false);
    if (line.is_discarded() && lines.eof()) break;
    if (!line.is_object() || !line.contains("step") || !line["step"].is_number()) {
      throw UserError(format("{}:{}", file.string(), number), "step", "not a JSON object with a number for 'step'");
    }
    for (const auto& [key, value] : line.items()) {
      if (key == "step" || key == "epoch" || !(value.is_number() || value.is_null())) continue;  // null: was not finite
      Series& series = curves[key];
      series.name = name;
      series.x.push_back(line["step"].get<double>());
      series.y.push_back(value.is_null() ? std::numeric_limits<double>::quiet_NaN() : value.get<double>());
    }
  }
  return curves;
}

}  // namespace freeatm::report
