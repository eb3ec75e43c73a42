// SPDX-License-Identifier: Apache-2.0
// A stage's page: what it draws, and its curves.
#include <algorithm>

#include <ATen/ATen.h>

#include "freeatm/core/format.h"
#include "freeatm/report/html.h"
#include "freeatm/report/plot.h"

#include "curves.h"
#include "train_diffusion.h"

namespace freeatm::commands {
namespace {

constexpr int64_t kSmall = 128;        // sides of pictures that are shown doubled
constexpr int64_t kMostPoints = 1000;  // of a curve

int64_t step_of(const fs::path& preview) { return std::stoll(preview.stem().string().substr(5)); }  // step_N.png

std::string previews_html(const fs::path& folder) {
  std::vector<fs::path> previews;
  for (const auto& entry : fs::directory_iterator(folder / "previews")) {
    if (entry.path().extension() == ".png") previews.push_back(entry.path());
  }
  std::ranges::sort(previews, std::ranges::greater(), step_of);
  std::string html;
  for (const fs::path& preview : previews) {
    html += format("<figure><img alt=\"\" src=\"{}\"><figcaption>step {}</figcaption></figure>\n",
                   report::data_uri("image/png", read_file(preview)), step_of(preview));
  }
  return html;
}

// "loss_t200" is a band of timesteps: all of them stand in one plot.
std::string curves_html(const fs::path& metrics) {
  report::LinePlot bands{.title = "error by timestep", .x_label = "step"};
  std::string html, others;
  for (auto& [name, series] : read_curves(metrics, "")) {
    report::Series curve = report::thinned(series, kMostPoints);
    curve.name = name;
    if (name.starts_with("loss_t")) {
      curve.name = format("from {}", name.substr(6));
      bands.series.push_back(std::move(curve));
      continue;
    }
    report::LinePlot plot{.title = name, .x_label = "step", .series = {std::move(curve)}};
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

vision::Image tile(const at::Tensor& pixels, int64_t columns) {
  const int64_t count = pixels.size(0), side = pixels.size(1), rows = (count + columns - 1) / columns;
  at::Tensor grid = at::full({rows * columns, side, side, 3}, 255, at::kByte);
  grid.narrow(0, 0, count).copy_(pixels);
  grid = grid.view({rows, columns, side, side, 3}).transpose(1, 2).reshape({rows * side, columns * side, 3});
  if (side <= kSmall) grid = grid.repeat_interleave(2, 0).repeat_interleave(2, 1);
  grid = grid.contiguous();
  vision::Image image(static_cast<int>(grid.size(0)), static_cast<int>(grid.size(1)));
  std::copy_n(grid.data_ptr<uint8_t>(), grid.numel(), image.pixels.begin());
  return image;
}

void write_stage_report(const fs::path& folder, const std::string& title, const std::string& lead) {
  report::Page page(title, lead);
  page.add("previews", "What it draws", previews_html(folder));
  page.add("curves", "Curves", curves_html(folder / "metrics.jsonl"));
  write_file(folder / "report.html", page.html());
}

}  // namespace freeatm::commands
