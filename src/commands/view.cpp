// SPDX-License-Identifier: Apache-2.0
// freeatm view: what lies in a folder (shards, run folders, evaluations, or several of them) on one HTML page.
#include <algorithm>
#include <map>
#include <optional>
#include <set>

#include "freeatm/commands/commands.h"
#include "freeatm/core/error.h"
#include "freeatm/core/files.h"
#include "freeatm/core/log.h"
#include "freeatm/core/progress.h"
#include "freeatm/core/signals.h"
#include "freeatm/report/by_class.h"
#include "freeatm/report/examples.h"
#include "freeatm/report/gallery.h"
#include "freeatm/report/html.h"
#include "freeatm/report/run_views.h"
#include "freeatm/report/shard_view.h"

namespace freeatm::commands {
namespace {

constexpr int kDepth = 2;  // folders below `in` that are looked into

struct ViewOptions {
  std::string in, out = "page.html", sort = "index";
  std::optional<int64_t> count = 4000;
  int64_t max_side = 384;
  std::optional<std::string> title, note;

  void fields(config::Fields& f) {
    f("in", in, "a folder with shards, a run, an evaluation, or several of them in folders of their own");
    f("out", out, "the HTML file");
    f("count", count, "pictures of each folder of shards, the first ones; null: all", config::at_least(1));
    f("sort", sort, "how the pictures stand at first: by key, or by score",
      config::any_of({"index", "highest", "lowest"}));
    f("max_side", max_side, "pixels: larger pictures are made smaller, as WebP", config::between(16, 4096));
    f("title", title, "the page's title; null: the folder's name");
    f("note", note, "a remark in a box on top");
  }
};

struct Pictures {
  report::Gallery gallery;
  std::string made_by;  // HTML
  std::string lead;     // "the first 4000 of 10000 pictures in runs/h · model digest ..."
  int64_t problems = 0;
};

Pictures read_pictures(const report::Contents& contents, const ViewOptions& options) {
  Pictures pictures;
  for (const report::NamedFolder& folder : contents.harvests) {
    const report::ShardView shards(folder.path);
    const int64_t count = std::min(options.count.value_or(shards.size()), shards.size());
    report::CommonFacts facts;
    Progress progress("view", count, "pictures");
    for (int64_t index = 0; index < count; ++index) {
      stop_if_signalled();
      report::GalleryItem item = shards.item(index, options.max_side);
      if (contents.harvests.size() > 1) item.source = folder.name;
      if (!item.problems.empty()) ++pictures.problems;
      facts.add(item);
      pictures.gallery.add(item);
      progress.advance();
    }
    const std::string of =
        count < shards.size() ? format("the first {} of {}", count, shards.size()) : format("{}", count);
    pictures.lead +=
        format("{}{} pictures in {}{}", pictures.lead.empty() ? "" : "; ", of, folder.path.string(), facts.text());
    pictures.made_by += report::made_by_html("harvest", folder.path);
  }
  return pictures;
}

}  // namespace

int view(const config::Composed& composed) {
  const auto options = config::read<ViewOptions>(composed);
  require_folder(options.in, "in");
  if (fs::is_directory(options.out)) throw UserError(options.out, "out", "is a folder; a file is wanted");

  const report::Contents contents = report::look_into(options.in, kDepth);
  if (contents.harvests.empty() && contents.runs.empty() && contents.evaluations.empty()) {
    throw UserError(options.in, "in",
                    "holds nothing to show: no shards (*.tar), metrics.jsonl or metrics.json, {} folders deep", kDepth);
  }

  const fs::path out_folder = fs::path(options.out).parent_path();
  if (!out_folder.empty()) prepare_folder(out_folder);
  const Pictures pictures = read_pictures(contents, options);
  const bool is_alone = contents.runs.empty() && contents.evaluations.empty();
  report::Page page(options.title.value_or(contents.name_of(contents.root)),
                    is_alone ? pictures.lead : contents.summary(), options.note.value_or(""));
  if (pictures.gallery.size() > 0) {
    page.add("pictures", "Pictures", pictures.made_by + pictures.gallery.html(options.sort));
    page.add_data(pictures.gallery.data());
  }
  const std::string previews = report::run_previews_html(contents.runs);
  if (!previews.empty()) page.add("previews", "While it trains", previews);
  if (!contents.runs.empty()) page.add("curves", "Curves", report::curves_html(contents.runs));
  const std::string examples = report::examples_html(contents.evaluations);
  if (!examples.empty()) page.add("examples", "Examples", examples);
  const std::string by_class = report::by_class_html(contents.evaluations);
  if (!by_class.empty()) page.add("classes", "Classes", by_class);
  if (!contents.evaluations.empty()) page.add("scores", "Scores", report::scores_html(contents.evaluations));
  write_file(options.out, page.html());
  log::info("{}: {} pictures, {} runs, {} evaluations", options.out, pictures.gallery.size(), contents.runs.size(),
            contents.evaluations.size());
  if (pictures.problems > 0)
    log::warning("{} pictures have something missing or broken: their cards say what", pictures.problems);
  return 0;
}

}  // namespace freeatm::commands
