// SPDX-License-Identifier: Apache-2.0
#include "seeded_noise.h"

#include <ATen/CPUGeneratorImpl.h>
#include <ATen/ops/randn.h>
#include <ATen/ops/stack.h>

namespace freeatm::diffusion {

SeededNoise::SeededNoise(std::span<const uint32_t> seeds) {
  for (const uint32_t seed : seeds) generators_.push_back(at::make_generator<at::CPUGeneratorImpl>(seed));
}

at::Tensor SeededNoise::next(at::IntArrayRef shape, at::Device device) {
  std::vector<at::Tensor> pictures;
  for (at::Generator& generator : generators_)
    pictures.push_back(at::randn(shape, generator, at::TensorOptions(at::kFloat)));
  return at::stack(pictures).to(device);
}

}  // namespace freeatm::diffusion
