// SPDX-License-Identifier: Apache-2.0
// The sampler's options, on a tiny folder. That its pictures are right: folders_test.cpp, sampler_slow_test.cpp.
#include "freeatm/diffusion/sampler.h"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include "hash_folder.h"
#include "tensors.h"

namespace freeatm::diffusion {
namespace {

using testing::difference;

const Pipeline& pipeline() {
  static const testing::HashFolder folder("sd1_like");
  static const Pipeline pipeline = Pipeline::load(folder.path(), at::kCPU, at::kFloat);
  return pipeline;
}

at::Tensor draw(const SamplerOptions& options, const std::vector<std::string>& captions = {"a dog"},
                const std::vector<uint32_t>& seeds = {4}, models::AttentionProbe* probe = nullptr) {
  const Sampler sampler(pipeline(), options);
  return sampler.sample(sampler.encode(captions), seeds, probe);
}

/// Counts the rows that it is shown at each step.
class Rows : public models::AttentionProbe {
 public:
  bool wants(const models::AttentionSite& site) const override { return site.is_cross; }
  void begin_step(int64_t, double timestep) override {
    timesteps.push_back(timestep);
    batch.push_back(0);
  }
  void observe(const models::AttentionCall& call) override {
    EXPECT_EQ(call.rows, 1);
    batch.back() = call.query.size(0);
  }
  std::vector<double> timesteps;
  std::vector<int64_t> batch;  // rows that the model computes
};

TEST(Sampler, AProbeChangesNoPixel) {
  Rows probe;
  EXPECT_TRUE(at::equal(draw({.steps = 3}, {"a dog"}, {4}, &probe), draw({.steps = 3})));
  EXPECT_EQ(probe.timesteps.size(), 4u);  // PNDM's three steps are four calls
}

TEST(Sampler, APictureHardlyDependsOnItsBatch) {
  const at::Tensor both = draw({.steps = 4}, {"a cat", "a dog"}, {3, 4000000000u});
  EXPECT_LE(difference(both[1], draw({.steps = 4}, {"a dog"}, {4000000000u})[0]), 1e-3);
  const at::Tensor same = draw({.steps = 4}, {"a cat", "a cat"}, {3, 5});  // encoded once
  EXPECT_LE(difference(same[0], both[0]), 1e-3);
  EXPECT_GT(difference(same[0], same[1]), 0.1);
}

// Of 384 x 384 one picture at a time goes through the autoencoder: two of them are more than 512 x 512.
TEST(Sampler, LargePicturesAreDecodedOneByOne) {
  const SamplerOptions large{.steps = 1, .guidance_scale = 1, .height = 384, .width = 384};
  const at::Tensor both = draw(large, {"a cat", "a dog"}, {3, 4});
  EXPECT_LE(difference(both[0], draw(large, {"a cat"}, {3})[0]), 1e-4);
  EXPECT_LE(difference(both[1], draw(large, {"a dog"}, {4})[0]), 1e-4);
}

TEST(Sampler, WithoutGuidanceTheNegativePromptIsNotUsed) {
  Rows probe;
  EXPECT_TRUE(at::equal(draw({.steps = 3, .guidance_scale = 1}),
                        draw({.steps = 3, .guidance_scale = 1, .negative_prompt = "a cat"}, {"a dog"}, {4}, &probe)));
  EXPECT_EQ(probe.batch, std::vector<int64_t>(4, 1));
  EXPECT_GT(difference(draw({.steps = 3}), draw({.steps = 3, .negative_prompt = "a cat"})), 1e-3);
}

TEST(Sampler, GuidanceIsOffOutsideOfItsInterval) {
  Rows probe;
  const SamplerOptions middle{.scheduler = "ddim", .steps = 4, .guidance_interval = {251, 501}};
  draw(middle, {"a dog"}, {4}, &probe);
  EXPECT_EQ(probe.timesteps, (std::vector<double>{751, 501, 251, 1}));
  EXPECT_EQ(probe.batch, (std::vector<int64_t>{1, 2, 2, 1}));  // both ends belong to it
  EXPECT_TRUE(at::equal(draw({.steps = 3, .guidance_interval = {0, 1000}}), draw({.steps = 3})));
  EXPECT_LE(difference(draw({.steps = 3, .guidance_interval = {1000, 1000}}), draw({.steps = 3, .guidance_scale = 1})),
            1e-6);
}

TEST(Sampler, EtaAddsTheSeedsNoise) {
  const SamplerOptions calm{.scheduler = "ddim", .steps = 3}, noisy{.scheduler = "ddim", .steps = 3, .eta = 1};
  EXPECT_GT(difference(draw(calm), draw(noisy)), 0.01);
  EXPECT_TRUE(at::equal(draw(noisy), draw(noisy)));
}

TEST(Sampler, DrawsAnySizeThatTheAutoencoderDivides) {
  const Sampler sampler(pipeline(), {.steps = 1, .height = 20, .width = 52});
  EXPECT_EQ(sampler.latent_size().height, 5);
  EXPECT_EQ(sampler.latent_size().width, 13);
  const at::Tensor picture = draw({.steps = 1, .height = 20, .width = 52});
  EXPECT_EQ(picture.sizes(), (std::vector<int64_t>{1, 3, 20, 52}));
  EXPECT_GE(picture.min().item<double>(), 0);
  EXPECT_LE(picture.max().item<double>(), 1);
}

TEST(Sampler, RefusesWhatDoesNotGoWithTheFolder) {
  EXPECT_USER_ERROR(draw({.height = 30}),
                    "sampler.height: 30 is not divisible by 4, the autoencoder's pixels per latent");
  EXPECT_USER_ERROR(draw({.width = 33}), "sampler.width: 33 is not divisible by 4");
  EXPECT_USER_ERROR(draw({.scheduler = "heun"}), "sampler.scheduler: 'heun' is not ddim, dpm++, euler or pndm");
  EXPECT_USER_ERROR(draw({.eta = 0.5}), "sampler.eta: 0.5 is for ddim alone");
  EXPECT_USER_ERROR(draw({.steps = 1001}), "sampler.steps: 1001 is not in [1, 1000]");
  const Sampler sampler(pipeline(), {});
  const auto look_at = [&](int64_t timestep) {
    Rows probe;
    sampler.reobserve(at::zeros({1, 3, 32, 32}), sampler.encode({{"a dog"}}), std::vector<uint32_t>{0},
                      std::vector<int64_t>{100, timestep}, probe);
    return probe.timesteps.size();
  };
  EXPECT_EQ(look_at(999), 2u);
  EXPECT_USER_ERROR(look_at(1000), "harvest.timesteps: 1000 is not in [0, 999]");
}

TEST(Sampler, SaysInOneLineThatMemoryRanOut) {
  try {
    draw({.steps = 1, .guidance_scale = 1, .height = 4000000, .width = 4000000}, {"a dog", "a cat"}, {0, 1});
    ADD_FAILURE() << "there is memory for 128 TB";
  } catch (const std::runtime_error& error) {
    EXPECT_STREQ(error.what(),
                 "out of memory with 2 pictures of 4000000 x 4000000 at once: batch_size=1 needs about half as much");
  }
}

}  // namespace
}  // namespace freeatm::diffusion
