// SPDX-License-Identifier: Apache-2.0
// Values: scripts/baselines/vae_tiles.py.
#include "picture_codec.h"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include "freeatm/diffusion/sampler.h"

#include "hash_folder.h"
#include "tensors.h"

namespace freeatm::diffusion {
namespace {

const Pipeline& pipeline() {
  static const testing::HashFolder folder("sd1_like");
  static const Pipeline pipeline = Pipeline::load(folder.path(), at::kCPU, at::kFloat);
  return pipeline;
}

TEST(PictureCodec, TilesEqualDiffusers) {
  const c10::InferenceMode inference;
  const at::Tensor latents = testing::hash_tensor("latents", {1, 4, 72, 40});
  const at::Tensor pixels = decode_in_tiles(*pipeline().vae, latents, 32);
  ASSERT_EQ(pixels.sizes(), (std::vector<int64_t>{1, 3, 288, 160}));
  const at::Tensor sampled = pixels.slice(2, 0, 288, 3).slice(3, 0, 160, 3);
  const auto expected = weights::load_safetensors(testing::test_file("diffusion/data/vae_tiles.safetensors")).tensors;
  EXPECT_LE(testing::relative_difference(sampled, expected.at("pixels")), 1e-5);
}

TEST(PictureCodec, TilesAreThePictureWhereOneHoldsIt) {
  const c10::InferenceMode inference;
  const at::Tensor latents = at::randn({3, 4, 32, 20});
  const std::vector<std::string> names{"a", "b", "c"};
  PictureCodec whole(pipeline(), {}, 128, 80), tiled(pipeline(), 128, 128, 80);
  EXPECT_TRUE(at::equal(whole.decode(latents, names), tiled.decode(latents, names)));
  const at::Tensor larger = at::randn({1, 4, 72, 40});
  const double difference = testing::difference(whole.decode(larger, names), tiled.decode(larger, names));
  EXPECT_GT(difference, 1e-4);  // they are tiles
}

TEST(PictureCodec, RefusesTilesThatSeeTooLittle) {
  EXPECT_USER_ERROR(Sampler(pipeline(), {.vae_tile = 64}), "sampler.vae_tile: 64 is not a multiple of 16 from 128 on");
  EXPECT_USER_ERROR(Sampler(pipeline(), {.vae_tile = 136}),
                    "sampler.vae_tile: 136 is not a multiple of 16 from 128 on");
}

}  // namespace
}  // namespace freeatm::diffusion
