// SPDX-License-Identifier: Apache-2.0
#include "freeatm/evaluation/metrics.h"

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <limits>
#include <optional>
#include <utility>

#include <nlohmann/json.hpp>

#include "freeatm/core/error.h"
#include "freeatm/core/json.h"
#include "freeatm/core/log.h"
#include "freeatm/runtime/ranks.h"

namespace freeatm::evaluation {
namespace {

/// What is in a cache, if it can be read.
std::optional<Metrics> rows_if_any(const fs::path& file) {
  if (!fs::exists(file)) return std::nullopt;
  try {
    Metrics metrics = read_rows(file);
    log::info("{}: has the scores of before", file.string());
    return metrics;
  } catch (const UserError& error) {
    log::warning("{}; measured anew", error.what());
    return std::nullopt;
  }
}

}  // namespace

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

void print_metrics(const fs::path& folder) {
  std::vector<std::pair<std::string, double>> numbers;
  size_t width = 40;
  const auto json = nlohmann::ordered_json::parse(read_file(folder / "metrics.json"), nullptr, false);
  if (!json.is_object()) throw UserError((folder / "metrics.json").string(), "", "is not an evaluation's metrics.json");
  for (const auto& [name, value] : json.items()) {
    if (!value.is_number()) continue;
    numbers.emplace_back(name, value.get<double>());
    width = std::max(width, name.size());
  }
  for (const auto& [name, value] : numbers) {
    const bool is_count = value == static_cast<double>(static_cast<int64_t>(value)) && value > 1;
    std::printf(is_count ? "%-*s %8.0f\n" : "%-*s %8.4f\n", static_cast<int>(width), name.c_str(), value);
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
      metrics.push_back({row.at("metric"),
                         value.is_null() ? std::numeric_limits<double>::quiet_NaN() : value.get<double>(),
                         row.at("detail"), row.at("split"), row.at("weights")});
    }
  } catch (const nlohmann::json::exception& error) {
    throw UserError(file.string(), "", "holds no rows of metrics: {}", error.what());
  }
  return metrics;
}

Metrics cached_rows(const fs::path& file, bool anew, const std::function<Metrics()>& measure) {
  runtime::Ranks& ranks = runtime::ranks();
  std::optional<Metrics> cached;
  if (!anew && ranks.is_first()) cached = rows_if_any(file);
  const bool is_there = !ranks.gather(cached ? "there" : "").front().empty();
  if (is_there) return cached.value_or(Metrics{});
  Metrics metrics = measure();
  if (!ranks.is_first()) return metrics;
  prepare_folder(file.parent_path());
  write_rows(file, metrics);
  return metrics;
}

}  // namespace freeatm::evaluation
