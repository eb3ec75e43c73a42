// SPDX-License-Identifier: Apache-2.0
#include "metrics.h"

#include <algorithm>
#include <cstdint>
#include <cstdio>

#include <nlohmann/json.hpp>

namespace freeatm::commands {

void append(Metrics& metrics, const Metrics& more, const std::string& prefix, const std::string& suffix) {
  for (const auto& [name, value] : more) {
    const size_t dot = std::min(name.find('.'), name.size());
    metrics.push_back({prefix + name.substr(0, dot) + suffix + name.substr(dot), value});
  }
}

void write_metrics(const fs::path& folder, const std::string& task, const Metrics& metrics) {
  nlohmann::ordered_json json{{"task", task}};
  for (const auto& [name, value] : metrics) {
    const size_t dot = name.find('.');
    auto& place = dot == std::string::npos ? json[name] : json[name.substr(0, dot)][name.substr(dot + 1)];
    place = value;
  }
  write_file(folder / "metrics.json", json.dump(2) + "\n");
}

void print_metrics(const Metrics& metrics) {
  const auto is_detail = [](const evaluation::Metric& metric) { return metric.name.find('.') != std::string::npos; };
  size_t width = 40;
  for (const auto& metric : metrics) width = is_detail(metric) ? width : std::max(width, metric.name.size());
  for (const auto& metric : metrics) {
    if (is_detail(metric)) continue;
    const bool is_count = metric.value == static_cast<double>(static_cast<int64_t>(metric.value)) && metric.value > 1;
    std::printf(is_count ? "%-*s %8.0f\n" : "%-*s %8.4f\n", static_cast<int>(width), metric.name.c_str(), metric.value);
  }
}

}  // namespace freeatm::commands
