// SPDX-License-Identifier: Apache-2.0
#include "freeatm/objectives/masked/reconstructions.h"

#include <algorithm>
#include <utility>

#include <ATen/ATen.h>

#include "freeatm/core/error.h"
#include "freeatm/data/planned_views.h"
#include "freeatm/data/tile.h"

namespace freeatm::objectives {
namespace {

using at::Tensor;

constexpr const char* kCaption =
    "rows of four: the view; its things, the more they cover of a patch the brighter; what is seen; what comes back "
    "where "
    "it was hidden";
constexpr int64_t kOfOne = 4;         // pictures in a row that belong together
constexpr uint8_t kHiddenGrey = 128;  // what stands for a patch that is not seen

/// [N, patches, ...] -> [N, size, size, 1]: of each pixel the value of its patch.
Tensor of_pixels(const Tensor& patches, int64_t side, int64_t patch) {
  return patches.view({patches.size(0), side, side, 1}).repeat_interleave(patch, 1).repeat_interleave(patch, 2);
}

}  // namespace

Reconstructions::Reconstructions(Masked& objective, const data::Dataset& dataset, int64_t count)
    : objective_(objective), dataset_(dataset), count_(std::min(count, dataset.size())) {}

Tensor Reconstructions::draw(double progress) {
  std::vector<data::View> views;
  std::vector<std::string> keys;
  for (int64_t i = 0; i < count_; ++i) {
    const int64_t index = i * dataset_.size() / count_;
    RandomStream random(0, "reconstructions", 0, static_cast<uint64_t>(index));
    try {
      data::Sample sample = dataset_.get(index, random);
      keys.push_back(sample.key);
      views.push_back(objective_.prepare(std::move(sample), random, progress));
    } catch (const UserError&) {  // the loader says so, and counts it
      keys.resize(views.size());
    }
  }
  if (views.empty()) return at::empty({0}, at::kByte);
  data::Batch batch = objective_.collate(std::move(views), keys);

  const at::NoGradGuard no_grad;
  data::make_views(batch);
  const at::Device device = objective_.parameters().front().device();
  const Tensor pixels = batch["image"].to(device), hidden = batch["hidden"].to(device);
  const Tensor predicted = objective_.predicted_pixels(pixels, hidden).to(at::kFloat).cpu();  // [N, S, S, 3], 0 to 1
  const int64_t side = objective_.grid_side(), patch = objective_.patch_size();
  const Tensor is_hidden = of_pixels(batch["hidden"], side, patch) != 0;
  const Tensor shares = of_pixels(batch["foreground"], side, patch), &view = batch["image"];
  const Tensor things = (view * (0.15 + 0.85 * shares)).to(at::kByte);
  const Tensor back = at::where(is_hidden, predicted.clamp(0, 1).mul(255).round().to(at::kByte), view);
  return at::stack({view, things, view.masked_fill(is_hidden, kHiddenGrey), back}, 1).flatten(0, 1);
}

void Reconstructions::write(const fs::path& folder, int64_t step, double progress) {
  const Tensor drawn = draw(progress);
  if (drawn.numel() == 0) return;
  const int64_t columns = drawn.size(1) <= data::kSmallSide ? 2 * kOfOne : kOfOne;
  prepare_folder(folder);
  write_file(folder / "caption.txt", kCaption);
  write_file(folder / format("step_{}.png", step), vision::encode_png(data::tile(drawn, columns)));
}

}  // namespace freeatm::objectives
