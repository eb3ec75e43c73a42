// SPDX-License-Identifier: Apache-2.0
#include "freeatm/evaluation/metrics.h"

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <limits>
#include <utility>

#include <nlohmann/json.hpp>

#include "freeatm/core/error.h"
#include "freeatm/core/json.h"

namespace freeatm::evaluation {

std::string Metric::name() const {
  return (split.empty() ? "" : split + "_") + metric + (weights.empty() ? "" : "_" + weights);
}

void append(Metrics& metrics, Metrics more, const std::string& split) {
  for (Metric& row : more) {
    row.split = split;
    metrics.push_back(std::move(row));
  }
}

void write_metrics(const fs::path& folder, const std::string& task, const Metrics& metrics) {
  nlohmann::ordered_json json{{"task", task}};
  for (const Metric& row : metrics) {
    auto& place = row.detail.empty() ? json[row.name()] : json[row.name()][row.detail];
    place = row.value;
  }
  write_file(folder / "metrics.json", json.dump(2) + "\n");
}

void print_metrics(const Metrics& metrics) {
  size_t width = 40;
  for (const Metric& row : metrics) {
    if (row.detail.empty()) width = std::max(width, row.name().size());
  }
  for (const Metric& row : metrics) {
    if (!row.detail.empty()) continue;
    const bool is_count = row.value == static_cast<double>(static_cast<int64_t>(row.value)) && row.value > 1;
    std::printf(is_count ? "%-*s %8.0f\n" : "%-*s %8.4f\n", static_cast<int>(width), row.name().c_str(), row.value);
  }
}

void write_rows(const fs::path& file, const Metrics& metrics) {
  auto rows = nlohmann::ordered_json::array();
  for (const Metric& row : metrics) {
    rows.push_back({{"metric", row.metric},
                    {"value", row.value},
                    {"detail", row.detail},
                    {"split", row.split},
                    {"weights", row.weights}});
  }
  write_file(file, rows.dump(1) + "\n");
}

Metrics read_rows(const fs::path& file) {
  const nlohmann::json rows = read_json(file);
  Metrics metrics;
  try {
    for (const auto& row : rows) {
      const auto& value = row.at("value");  // null: was no number
      metrics.push_back({row.at("metric"), value.is_null() ? std::numeric_limits<double>::quiet_NaN() : value.get<double>(),
                         row.at("detail"), row.at("split"), row.at("weights")});
    }
  } catch (const nlohmann::json::exception& error) {
    throw UserError(file.string(), "", "holds no rows of metrics: {}", error.what());
  }
  return metrics;
}

}  // namespace freeatm::evaluation
