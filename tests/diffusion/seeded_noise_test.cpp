// SPDX-License-Identifier: Apache-2.0
// Seeds mean what they mean in Python. Values: scripts/baselines/schedulers.py.
#include "seeded_noise.h"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include "freeatm/core/format.h"
#include "freeatm/weights/safetensors.h"

#include "testing.h"

namespace freeatm::diffusion {
namespace {

TEST(SeededNoise, DrawsWhatTorchDrawsInPython) {
  const auto expected = weights::load_safetensors(testing::test_file("diffusion/data/schedulers.safetensors")).tensors;
  const std::vector<uint32_t> seeds = {7, 0, 4294967295u};
  // Below 16 elements torch draws one by one, from there on in blocks of 16.
  for (const auto& [height, width] :
       std::vector<std::pair<int64_t, int64_t>>{{1, 1}, {1, 3}, {2, 2}, {3, 3}, {5, 7}, {8, 8}}) {
    SeededNoise noise(seeds);
    for (int64_t draw = 0; draw < 2; ++draw) {
      const at::Tensor ours = noise.next({4, height, width}, at::kCPU);
      for (size_t i = 0; i < seeds.size(); ++i) {
        const std::string name = format("randn.{}.{}x{}", seeds[i], height, width);
        // Vector instructions differ between processors in a logarithm's last digit.
        EXPECT_TRUE(at::allclose(ours[static_cast<int64_t>(i)], expected.at(name)[draw], 1e-6, 1e-6)) << name;
      }
    }
  }
}

}  // namespace
}  // namespace freeatm::diffusion
