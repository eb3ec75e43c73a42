// SPDX-License-Identifier: Apache-2.0
#include "freeatm/diffusion/preview.h"

#include <algorithm>
#include <numeric>

#include <ATen/ATen.h>

#include "freeatm/diffusion/sampler.h"

namespace freeatm::diffusion {
namespace {

constexpr int64_t kSmall = 128;  // sides of pictures that are shown doubled

}  // namespace

at::Tensor draw_prompts(const Pipeline& pipeline, const std::vector<std::string>& prompts, int64_t steps,
                        double guidance_scale) {
  const Sampler sampler(pipeline, {.steps = steps, .guidance_scale = guidance_scale});
  std::vector<uint32_t> seeds(prompts.size());
  std::iota(seeds.begin(), seeds.end(), 0u);
  const at::Tensor images = sampler.sample(sampler.encode(prompts), seeds);
  return images.mul(255).round().to(at::kByte).permute({0, 2, 3, 1}).contiguous().cpu();
}

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

}  // namespace freeatm::diffusion
