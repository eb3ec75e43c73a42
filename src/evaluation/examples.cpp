// SPDX-License-Identifier: Apache-2.0
#include "freeatm/evaluation/examples.h"

#include <algorithm>
#include <utility>

#include <ATen/ATen.h>
#include <nlohmann/json.hpp>

#include "freeatm/core/format.h"
#include "freeatm/vision/image.h"

namespace freeatm::evaluation {
namespace {

using at::Tensor;

std::string png(const Tensor& picture) {
  const Tensor bytes = picture.cpu().contiguous();
  vision::Image image(static_cast<int>(bytes.size(0)), static_cast<int>(bytes.size(1)));
  std::copy_n(bytes.const_data_ptr<uint8_t>(), bytes.numel(), image.pixels.begin());
  return vision::encode_png(image);
}

}  // namespace

void Examples::add(const std::string& title, std::vector<Cell> cells) { rows_.push_back({title, std::move(cells)}); }

void Examples::write(const fs::path& folder) const {
  if (rows_.empty()) return;
  prepare_folder(folder / "examples");
  auto json = nlohmann::ordered_json::array();
  int64_t pictures = 0;
  for (const Row& row : rows_) {
    auto cells = nlohmann::ordered_json::array();
    for (const Cell& cell : row.cells) {
      nlohmann::ordered_json out{{"text", cell.text}};
      if (cell.picture.defined()) {
        const std::string name = format("examples/{}.png", pictures++);
        write_file(folder / name, png(cell.picture));
        out["picture"] = name;
      }
      if (cell.is_right) out["right"] = *cell.is_right;
      cells.push_back(std::move(out));
    }
    json.push_back({{"title", row.title}, {"cells", std::move(cells)}});
  }
  write_file(folder / "examples.json", json.dump(1) + "\n");
}

Tensor heat_map(const Tensor& picture, const Tensor& map) {
  const int64_t height = picture.size(0), width = picture.size(1);
  Tensor heat = at::upsample_bilinear2d(map.to(at::kFloat).cpu().unsqueeze(0).unsqueeze(0), {height, width},
                                        /*align_corners=*/false)
                    .view({height, width, 1});
  const Tensor low = heat.min(), high = heat.max();
  heat = (heat - low) / (high - low).clamp_min(1e-12);
  const Tensor grey = picture.to(at::kFloat).mean(2, /*keepdim=*/true) / 255;
  const Tensor warm =
      at::cat({heat.clamp(0, 1), (heat * 2 - 1).clamp(0, 1), at::zeros_like(heat)}, 2);  // red, then yellow
  return ((0.5 * grey + 0.5 * warm * (0.3 + 0.7 * heat)) * 255).clamp(0, 255).to(at::kByte);
}

}  // namespace freeatm::evaluation
