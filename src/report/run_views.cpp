// SPDX-License-Identifier: Apache-2.0
#include "freeatm/report/run_views.h"

#include <algorithm>
#include <map>

#include <nlohmann/json.hpp>

#include "freeatm/core/error.h"
#include "freeatm/report/curves.h"
#include "freeatm/report/html.h"
#include "freeatm/report/plot.h"
#include "freeatm/report/previews.h"
#include "freeatm/report/table.h"

#include "number.h"

namespace freeatm::report {
namespace {

using nlohmann::ordered_json;

/// What made the folder: `otherwise`, or what leaves the names of its classes behind.
std::string command_of(const std::string& otherwise, const fs::path& folder) {
  const fs::path config = folder / "config.yaml";
  const std::string command = fs::exists(folder / "classes.json") ? "finetune" : otherwise;
  return fs::exists(config) ? format("freeatm {} --config {}", command, config.string()) : "";
}

void add_contents(const fs::path& folder, int depth, Contents& contents) {
  std::vector<fs::path> folders;
  bool has_shards = false;
  for (const auto& entry : fs::directory_iterator(folder, fs::directory_options::skip_permission_denied)) {
    const std::string name = entry.path().filename().string();
    if (name.starts_with(".")) continue;
    if (entry.is_directory()) folders.push_back(entry.path());
    if (entry.path().extension() == ".tar") has_shards = true;
  }
  const NamedFolder named{folder, contents.name_of(folder)};
  if (has_shards) contents.harvests.push_back(named);
  if (fs::exists(folder / "metrics.jsonl")) contents.runs.push_back(named);
  if (fs::exists(folder / "metrics.json")) contents.evaluations.push_back(named);
  if (depth == 0) return;
  std::sort(folders.begin(), folders.end());
  for (const fs::path& inner : folders) add_contents(inner, depth - 1, contents);
}

}  // namespace

std::string Contents::name_of(const fs::path& folder) const {
  if (folder == root) return fs::weakly_canonical(root).filename().string();
  return fs::relative(folder, root).generic_string();
}

std::string Contents::summary() const {
  std::string out;
  const auto count = [&](size_t number, const char* singular, const char* plural) {
    if (number > 0) out += format("{}{} {}", out.empty() ? "" : ", ", number, number == 1 ? singular : plural);
  };
  count(harvests.size(), "harvest", "harvests");
  count(runs.size(), "run", "runs");
  count(evaluations.size(), "evaluation", "evaluations");
  return out + " in " + root.string();
}

Contents look_into(const fs::path& root, int depth) {
  Contents contents{root, {}, {}, {}};
  add_contents(root, depth, contents);
  return contents;
}

std::string made_by_html(const std::string& command, const fs::path& folder) {
  const std::string line = command_of(command, folder);
  return line.empty() ? "" : "<p class=\"made-by\"><code>" + escape(line) + "</code></p>\n";
}

std::string curves_html(const std::vector<NamedFolder>& runs) {
  std::map<std::string, LinePlot> plots;
  std::string commands;
  for (const NamedFolder& run : runs) {
    for (auto& [key, series] : read_curves(run.path / "metrics.jsonl", run.name)) {
      LinePlot& plot = plots[key];
      plot.title = spaced(key);
      plot.x_label = "step";
      plot.series.push_back(std::move(series));
    }
    commands += made_by_html("pretrain", run.path);
  }
  std::string loss, others;
  for (auto& [key, plot] : plots) {
    if (key == "loss") {
      loss = plot.html();
    } else {
      plot.width = 420;
      plot.height = 260;
      others += plot.html();
    }
  }
  return commands + loss + "<div class=\"plots\">\n" + others + "</div>\n";
}

std::string run_previews_html(const std::vector<NamedFolder>& runs) {
  std::string html;
  for (const NamedFolder& run : runs) {
    const std::string previews = previews_html(run.path / "previews");
    if (!previews.empty()) html += (runs.size() > 1 ? "<h3>" + escape(run.name) + "</h3>\n" : "") + previews;
  }
  return html;
}

std::string scores_html(const std::vector<NamedFolder>& evaluations) {
  std::vector<Table> tables;
  for (const NamedFolder& folder : evaluations) {
    const fs::path file = folder.path / "metrics.json";
    Table::Row row{folder.name, command_of("evaluate", folder.path), {}};
    std::vector<std::string> columns;
    try {
      const auto json = ordered_json::parse(read_file(file, "in"));
      for (const auto& [name, value] : json.items()) {
        if (!value.is_number()) continue;  // an object holds details: {"iou_by_class": {"dog": .8}}
        columns.push_back(spaced(name));
        row.values.push_back(value.get<double>());
      }
    } catch (const nlohmann::json::exception& error) {
      throw UserError(file.string(), "metrics", "is not an evaluation's metrics.json: {}", error.what());
    }
    auto table = std::find_if(tables.begin(), tables.end(), [&](const Table& one) { return one.columns == columns; });
    if (table == tables.end()) table = tables.insert(tables.end(), Table{columns, {}});
    table->rows.push_back(std::move(row));
  }
  std::string html;
  for (const Table& table : tables) html += table.html();
  return html;
}

}  // namespace freeatm::report
