// SPDX-License-Identifier: Apache-2.0
#include "freeatm/report/by_class.h"

#include <algorithm>
#include <cmath>
#include <map>

#include <nlohmann/json.hpp>

#include "freeatm/core/error.h"
#include "freeatm/core/format.h"
#include "freeatm/report/confusion.h"
#include "freeatm/report/html.h"
#include "freeatm/report/plot.h"
#include "freeatm/report/table.h"

#include "number.h"

namespace freeatm::report {
namespace {

using nlohmann::ordered_json;

constexpr size_t kOpenRows = 40;  // a longer table is folded in any case

/// The mean over classes of their precision at one overlap, at each recall.
Series mean_precision(const ordered_json& of_type, size_t overlap) {
  Series series{format("IoU {}", of_type.at("iou").at(overlap).get<double>()),
                of_type.at("recall").get<std::vector<double>>(),
                {}};
  series.y.assign(series.x.size(), 0);
  size_t classes = 0;
  for (const auto& [name, of_class] : of_type.at("classes").items()) {
    const auto& precision = of_class.at("precision");
    if (precision.empty()) continue;  // a class that no picture has
    const auto values = precision.at(overlap).get<std::vector<double>>();
    for (size_t i = 0; i < series.y.size(); ++i) series.y[i] += values.at(i);
    ++classes;
  }
  for (double& value : series.y) value /= static_cast<double>(std::max<size_t>(classes, 1));
  return series;
}

/// {"bbox": {"recall": [...], "iou": [...], "classes": {"dog": {"precision": [[...], ...]}}}}
std::string precision_plots(const ordered_json& curves) {
  constexpr size_t kEvery = 5;  // of COCO's ten overlaps: .5 and .75
  std::string html;
  for (const auto& [type, of_type] : curves.items()) {
    LinePlot plot{.title = type + ": precision", .x_label = "recall", .y_label = "", .series = {}};
    plot.width = 420, plot.height = 260;
    for (size_t i = 0; i < of_type.at("iou").size(); i += kEvery) plot.series.push_back(mean_precision(of_type, i));
    html += plot.html();
  }
  return "<div class=\"plots\">\n" + html + "</div>\n";
}

/// The metrics that are objects: a column each, the classes in the order of the first, or of its scores.
std::string class_table(const ordered_json& metrics, bool worst_first) {
  Table table;
  std::map<std::string, size_t> place;  // of each class's row
  for (const auto& [name, of_class] : metrics.items()) {
    if (!of_class.is_object()) continue;
    table.columns.push_back(spaced(name));
    for (const auto& [class_name, value] : of_class.items()) {
      const auto [found, is_new] = place.try_emplace(class_name, table.rows.size());
      if (is_new) table.rows.push_back({class_name, "", {}});
      Table::Row& row = table.rows[found->second];
      row.values.resize(table.columns.size());
      row.values.back() = value.get<double>();
    }
  }
  for (Table::Row& row : table.rows) row.values.resize(table.columns.size());
  if (table.rows.empty()) return "";
  if (worst_first) std::ranges::stable_sort(table.rows, {}, [](const Table::Row& row) { return row.values[0]; });
  return format("<details{}><summary>Each class{}</summary>\n",
                worst_first && table.rows.size() <= kOpenRows ? " open" : "", worst_first ? ", the worst first" : "") +
         table.html() + "</details>\n";
}

ordered_json read_object(const fs::path& file) {
  auto json = ordered_json::parse(read_file(file), nullptr, /*allow_exceptions=*/false);
  if (!json.is_object()) throw UserError(file.string(), "", "is no JSON object");
  return json;
}

}  // namespace

std::string by_class_html(const std::vector<NamedFolder>& evaluations) {
  std::string html;
  for (const NamedFolder& folder : evaluations) {
    const fs::path curves = folder.path / "pr_curves.json", metrics = folder.path / "metrics.json",
                   confusion = folder.path / "confusion.json";
    const bool is_segmentation = fs::exists(confusion);
    try {
      const std::string plots = is_segmentation      ? confusion_html(confusion)
                                : fs::exists(curves) ? precision_plots(read_object(curves))
                                                     : "";
      const std::string table = class_table(read_object(metrics), is_segmentation);
      if (!plots.empty() || !table.empty()) html += "<h3>" + escape(folder.name) + "</h3>\n" + plots + table;
    } catch (const ordered_json::exception& error) {
      throw UserError((fs::exists(curves) ? curves : metrics).string(), "", "is not an evaluation's: {}", error.what());
    }
  }
  return html;
}

}  // namespace freeatm::report
