// SPDX-License-Identifier: Apache-2.0
// freeatm view: what lies in a folder (shards, run folders, evaluations, or several of them) on one HTML page.
#include <algorithm>
#include <map>
#include <optional>

#include <nlohmann/json.hpp>

#include "freeatm/commands/commands.h"
#include "freeatm/core/error.h"
#include "freeatm/core/files.h"
#include "freeatm/core/log.h"
#include "freeatm/core/progress.h"
#include "freeatm/core/signals.h"
#include "freeatm/data/dataset.h"
#include "freeatm/report/gallery.h"
#include "freeatm/report/html.h"
#include "freeatm/report/plot.h"
#include "freeatm/report/table.h"
#include "freeatm/vision/augment.h"

#include "curves.h"

namespace freeatm::commands {
namespace {

using nlohmann::ordered_json;

constexpr int kGreatestSide = 256;  // pixels: a page of large pictures would take minutes to open
constexpr int kDepth = 2;           // folders below `in` that are looked into
constexpr int64_t kFold = 20;       // pictures that stand there at first when curves or scores follow

struct ViewOptions {
  std::string in, out = "page.html";
  int64_t limit = 256;
  std::optional<std::string> title, note;

  void fields(config::Fields& f) {
    f("in", in, "a folder with shards, a run, an evaluation, or several of them in folders of their own");
    f("out", out, "the HTML file");
    f("limit", limit, "pictures of each folder of shards", config::at_least(1));
    f("title", title, "the page's title; null: the folder's name");
    f("note", note, "a remark in a box on top");
  }
};

/// The folders that have something to show, by what lies in them.
struct Contents {
  fs::path root;
  std::vector<fs::path> harvests;     // *.tar
  std::vector<fs::path> runs;         // metrics.jsonl
  std::vector<fs::path> evaluations;  // metrics.json

  std::string name_of(const fs::path& folder) const {
    if (folder == root) return fs::weakly_canonical(root).filename().string();
    return fs::relative(folder, root).generic_string();
  }
};

void look_into(const fs::path& folder, int depth, Contents& contents) {
  std::vector<fs::path> folders;
  bool has_shards = false;
  for (const auto& entry : fs::directory_iterator(folder, fs::directory_options::skip_permission_denied)) {
    const std::string name = entry.path().filename().string();
    if (name.starts_with(".")) continue;
    if (entry.is_directory()) folders.push_back(entry.path());
    if (entry.path().extension() == ".tar") has_shards = true;
  }
  if (has_shards) contents.harvests.push_back(folder);
  if (fs::exists(folder / "metrics.jsonl")) contents.runs.push_back(folder);
  if (fs::exists(folder / "metrics.json")) contents.evaluations.push_back(folder);
  if (depth == 0) return;
  std::sort(folders.begin(), folders.end());
  for (const fs::path& inner : folders) look_into(inner, depth - 1, contents);
}

/// The command that makes the folder again, from the config that it holds.
std::string command_of(const std::string& command, const fs::path& folder) {
  return fs::exists(folder / "config.yaml")
             ? format("freeatm {} --config {}", command, (folder / "config.yaml").string())
             : "";
}

std::string made_by(const std::string& command) {
  return command.empty() ? "" : "<p class=\"made-by\"><code>" + report::escape(command) + "</code></p>\n";
}

report::GalleryItem gallery_item(data::Sample&& sample) {
  report::GalleryItem item{sample.key, std::move(sample.image), std::move(sample.caption), {}, std::move(sample.masks)};
  for (size_t i = 0; i < sample.phrases.size(); ++i) {
    const text::Phrase& phrase = sample.phrases[i];
    item.phrases.push_back({phrase.span.begin, phrase.span.end, std::string(text::role_name(phrase.role)), {}});
    if (i < sample.scores.size()) item.phrases.back().score = sample.scores[i];
  }
  const int height = item.image.height, width = item.image.width;
  const double scale = double(kGreatestSide) / std::max(height, width);
  if (scale < 1) {
    item.image = vision::resized_crop(item.image, {0, 0, double(width), double(height)},
                                      std::max(1, int(height * scale)), std::max(1, int(width * scale)));
  }
  return item;
}

/// Returns how many pictures it has added.
int64_t add_pictures(report::Page& page, const Contents& contents, const ViewOptions& options) {
  const bool is_alone = contents.harvests.size() == 1 && contents.runs.empty() && contents.evaluations.empty();
  int64_t pictures = 0;
  for (size_t i = 0; i < contents.harvests.size(); ++i) {
    const fs::path& folder = contents.harvests[i];
    const auto dataset = data::open_shards(folder.string());
    const int64_t count = std::min(options.limit, dataset->size());
    report::Gallery gallery;
    RandomStream random(0, "view");
    Progress progress("view", count, "pictures");
    for (int64_t index = 0; index < count; ++index) {
      stop_if_signalled();
      gallery.add(gallery_item(dataset->get(index, random)));
      progress.advance();
    }
    const std::string heading = contents.harvests.size() == 1 ? "Pictures" : "Pictures of " + contents.name_of(folder);
    page.add(format("pictures{}", i), heading,
             made_by(command_of("harvest", folder)) + gallery.html(is_alone ? 0 : kFold));
    pictures += count;
  }
  return pictures;
}

std::string spaced(std::string name) {
  std::replace(name.begin(), name.end(), '_', ' ');
  return name;
}

/// The loss of all runs in one plot, what else they logged in smaller ones.
void add_curves(report::Page& page, const Contents& contents) {
  std::map<std::string, report::LinePlot> plots;
  std::string commands;
  for (const fs::path& run : contents.runs) {
    for (auto& [key, series] : read_curves(run / "metrics.jsonl", contents.name_of(run))) {
      report::LinePlot& plot = plots[key];
      plot.title = spaced(key);
      plot.x_label = "step";
      plot.series.push_back(std::move(series));
    }
    commands += made_by(command_of("pretrain", run));
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
  page.add("curves", "Curves", commands + loss + "<div class=\"plots\">\n" + others + "</div>\n");
}

/// One table for each kind of evaluation, told by the names of its metrics.
void add_scores(report::Page& page, const Contents& contents) {
  std::vector<report::Table> tables;
  for (const fs::path& folder : contents.evaluations) {
    const fs::path file = folder / "metrics.json";
    report::Table::Row row{contents.name_of(folder), "", {}};
    std::vector<std::string> columns;
    try {
      const auto json = ordered_json::parse(read_file(file, "in"));
      row.command = command_of("evaluate", folder);
      for (const auto& [name, value] : json.items()) {
        if (!value.is_number()) continue;
        columns.push_back(spaced(name));
        row.values.push_back(value.get<double>());
      }
    } catch (const nlohmann::json::exception& error) {
      throw UserError(file.string(), "metrics", "is not an evaluation's metrics.json: {}", error.what());
    }
    auto table =
        std::find_if(tables.begin(), tables.end(), [&](const report::Table& one) { return one.columns == columns; });
    if (table == tables.end()) table = tables.insert(tables.end(), report::Table{columns, {}});
    table->rows.push_back(std::move(row));
  }
  std::string html;
  for (const report::Table& table : tables) html += table.html();
  page.add("scores", "Scores", html);
}

/// "1 harvest, 2 runs, 3 evaluations in runs/quickstart"
std::string summary(const Contents& contents) {
  std::string out;
  const auto count = [&](size_t number, const char* singular, const char* plural) {
    if (number > 0) out += format("{}{} {}", out.empty() ? "" : ", ", number, number == 1 ? singular : plural);
  };
  count(contents.harvests.size(), "harvest", "harvests");
  count(contents.runs.size(), "run", "runs");
  count(contents.evaluations.size(), "evaluation", "evaluations");
  return out + " in " + contents.root.string();
}

}  // namespace

int view(const config::Composed& composed) {
  const auto options = config::read<ViewOptions>(composed);
  require_folder(options.in, "in");
  if (fs::is_directory(options.out)) throw UserError(options.out, "out", "is a folder; a file is wanted");

  Contents contents{options.in, {}, {}, {}};
  look_into(contents.root, kDepth, contents);
  if (contents.harvests.empty() && contents.runs.empty() && contents.evaluations.empty()) {
    throw UserError(options.in, "in",
                    "holds nothing to show: no shards (*.tar), metrics.jsonl or metrics.json, {} folders deep", kDepth);
  }

  const fs::path out_folder = fs::path(options.out).parent_path();
  if (!out_folder.empty()) prepare_folder(out_folder);
  report::Page page(options.title.value_or(contents.name_of(contents.root)), summary(contents),
                    options.note.value_or(""));
  const int64_t pictures = add_pictures(page, contents, options);
  if (!contents.runs.empty()) add_curves(page, contents);
  if (!contents.evaluations.empty()) add_scores(page, contents);
  write_file(options.out, page.html());
  log::info("{}: {} pictures, {} runs, {} evaluations", options.out, pictures, contents.runs.size(),
            contents.evaluations.size());
  return 0;
}

}  // namespace freeatm::commands
