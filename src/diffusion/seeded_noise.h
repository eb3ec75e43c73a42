// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cstdint>
#include <span>
#include <vector>

#include <ATen/core/Generator.h>
#include <ATen/core/Tensor.h>

namespace freeatm::diffusion {

/// Noise of pictures, one generator each: a picture's noise does not depend on its batch.
class SeededNoise {
 public:
  explicit SeededNoise(std::span<const uint32_t> seeds);

  /// The next [B, channels, h, w], fp32, of which each picture's is what torch.randn([1, channels, h, w],
  /// generator=torch.Generator('cpu').manual_seed(seed)) draws next, whatever the device.
  at::Tensor next(at::IntArrayRef shape, at::Device device);

 private:
  std::vector<at::Generator> generators_;
};

}  // namespace freeatm::diffusion
