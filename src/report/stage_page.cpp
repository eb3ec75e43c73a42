// SPDX-License-Identifier: Apache-2.0
// The page of a training that draws: its previews, and its curves.
#include <algorithm>
#include <vector>

#include "freeatm/core/format.h"
#include "freeatm/report/curves.h"
#include "freeatm/report/html.h"
#include "freeatm/report/previews.h"
#include "freeatm/report/run_views.h"

namespace freeatm::report {
namespace {

constexpr int64_t kMostPoints = 1000;  // of a curve

// "loss_t200" is a band of timesteps: all of them stand in one plot.
std::string stage_curves(const fs::path& metrics) {
  LinePlot bands{.title = "error by timestep", .x_label = "step"};
  std::string html, others;
  for (auto& [name, series] : read_curves(metrics, "")) {
    Series curve = thinned(series, kMostPoints);
    curve.name = name;
    if (name.starts_with("loss_t")) {
      curve.name = format("from {}", name.substr(6));
      bands.series.push_back(std::move(curve));
      continue;
    }
    LinePlot plot{.title = name, .x_label = "step", .series = {std::move(curve)}};
    if (name == "loss" || name == "psnr") {
      html += plot.html();
    } else {
      plot.width = 420, plot.height = 260;
      others += plot.html();
    }
  }
  if (!bands.series.empty()) html += bands.html();
  return html + "<div class=\"plots\">\n" + others + "</div>\n";
}

}  // namespace

void write_stage_page(const fs::path& folder, const std::string& title, const std::string& lead) {
  Page page(title, lead);
  page.add("previews", "What it draws", previews_html(folder / "previews"));
  // The first preview may come before the first line.
  if (fs::exists(folder / "metrics.jsonl")) page.add("curves", "Curves", stage_curves(folder / "metrics.jsonl"));
  write_file(folder / "report.html", page.html());
}

}  // namespace freeatm::report
