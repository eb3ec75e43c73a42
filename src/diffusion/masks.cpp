// SPDX-License-Identifier: Apache-2.0
#include "freeatm/diffusion/masks.h"

#include <ATen/ops/empty.h>
#include <ATen/ops/tensor.h>
#include <ATen/ops/upsample_bilinear2d.h>
#include <ATen/ops/zeros.h>

namespace freeatm::diffusion {
namespace {

// [n, h, w] -> each map's smallest value becomes 0, its largest 1; a map without contrast becomes 0.
at::Tensor min_max(const at::Tensor& maps) {
  const at::Tensor low = maps.amin({1, 2}, /*keepdim=*/true), high = maps.amax({1, 2}, /*keepdim=*/true);
  return (maps - low).div_((high - low).clamp_min(1e-12));
}

}  // namespace

void MaskOptions::fields(config::Fields& f) {
  f("threshold", threshold, "of the map between its smallest (0) and largest value (1): what lies above is mask",
    config::between(0, 1));
}

PhraseMasks phrase_masks(const at::Tensor& maps, const std::vector<text::Phrase>& phrases, int64_t height,
                         int64_t width, const MaskOptions& options) {
  const auto count = static_cast<int64_t>(phrases.size());
  PhraseMasks out{
      at::zeros({count, height, width}), vision::MaskSet(static_cast<int>(height), static_cast<int>(width)), {}};
  if (count == 0) return out;
  at::Tensor grids = at::zeros({count, maps.size(1), maps.size(2)});
  for (int64_t i = 0; i < count; ++i) {
    if (!phrases[i].tokens.empty()) grids[i] = maps.index_select(0, at::tensor(phrases[i].tokens)).mean(0);
  }
  out.normalised = min_max(at::upsample_bilinear2d(grids.unsqueeze(0), {height, width}, /*align_corners=*/false)[0]);

  const at::Tensor binary = out.normalised > options.threshold;  // [phrases, height, width]
  const at::Tensor area = binary.sum({1, 2}), inside = (out.normalised * binary).sum({1, 2}),
                   all = out.normalised.sum({1, 2});
  for (int64_t i = 0; i < count; ++i) {
    const at::Tensor mask = binary[i].to(at::kByte).contiguous();
    const auto* bytes = mask.data_ptr<uint8_t>();
    out.masks.add(std::vector<uint8_t>(bytes, bytes + mask.numel()));
    const double pixels = area[i].item<double>(), rest = static_cast<double>(height * width) - pixels,
                 sum = inside[i].item<double>();
    out.scores.push_back(pixels == 0 || rest == 0 ? 0.0 : sum / pixels - (all[i].item<double>() - sum) / rest);
  }
  return out;
}

}  // namespace freeatm::diffusion
