// SPDX-License-Identifier: Apache-2.0
#include "freeatm/diffusion/preview.h"

#include <numeric>

#include <ATen/ATen.h>

#include "freeatm/diffusion/sampler.h"

namespace freeatm::diffusion {

at::Tensor draw_prompts(const Pipeline& pipeline, const std::vector<std::string>& prompts, int64_t steps,
                        double guidance_scale) {
  const Sampler sampler(pipeline, {.steps = steps, .guidance_scale = guidance_scale});
  std::vector<uint32_t> seeds(prompts.size());
  std::iota(seeds.begin(), seeds.end(), 0u);
  const at::Tensor images = sampler.sample(sampler.encode(prompts), seeds);
  return images.mul(255).round().to(at::kByte).permute({0, 2, 3, 1}).contiguous().cpu();
}

}  // namespace freeatm::diffusion
