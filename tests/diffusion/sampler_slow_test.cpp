// SPDX-License-Identifier: Apache-2.0
// models/emoji against what diffusers makes of it. Values: tests/data/emoji_expected (scripts/baselines/diffusion.py).
#include <ATen/ATen.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "freeatm/core/files.h"
#include "freeatm/diffusion/harvester.h"
#include "freeatm/diffusion/sampler.h"
#include "freeatm/vision/image.h"
#include "freeatm/weights/safetensors.h"

#include "tensors.h"
#include "testing.h"

namespace freeatm::diffusion {
namespace {

using testing::difference;
using testing::source_file;
using testing::test_file;

const Pipeline& pipeline() {
  static const Pipeline pipeline = Pipeline::load(source_file("models/emoji"), at::kCPU, at::kFloat);
  return pipeline;
}

at::Tensor expected(const std::string& name) {
  static const auto file = weights::load_safetensors(test_file("data/emoji_expected/values.safetensors"));
  return file.tensors.at(name);
}

std::vector<std::string> captions() {
  return nlohmann::json::parse(read_file(test_file("data/emoji_expected/expected.json")))["captions"]
      .get<std::vector<std::string>>();
}

double relative(const at::Tensor& a, const at::Tensor& b) { return difference(a, b) / b.abs().max().item<double>(); }

// [3, H, W] in 0 .. 255.
at::Tensor picture_file(int64_t seed) {
  const vision::Image image = vision::read_image(test_file(format("data/emoji_expected/seed_{}.png", seed)));
  return at::tensor(at::ArrayRef<uint8_t>(image.pixels), at::kFloat)
      .view({image.height, image.width, 3})
      .permute({2, 0, 1});
}

at::Tensor bytes(const at::Tensor& picture) { return (picture * 255).round(); }

/// Sums every cross-attention layer's conditional maps, over all steps.
class LayerMaps : public models::AttentionProbe {
 public:
  bool wants(const models::AttentionSite& site) const override { return site.is_cross; }
  void begin_step(int64_t, double) override { ++steps; }
  void observe(const models::AttentionCall& call) override {
    const auto rows = [&](const at::Tensor& x) { return x.narrow(0, call.first_row, call.rows); };
    const at::Tensor p =
        at::softmax(at::matmul(rows(call.query), rows(call.key).transpose(2, 3)) * call.scale, -1).mean(1)[0];
    at::Tensor& sum = sums[call.site.layer];
    const at::Tensor map = p.t().reshape({-1, call.site.height, call.site.width});
    sum = sum.defined() ? sum + map : map;
  }
  int64_t steps = 0;
  std::map<std::string, at::Tensor> sums;
};

TEST(EmojiPipeline, EveryPartEqualsDiffusers) {
  const c10::InferenceMode inference;
  const Sampler sampler(pipeline(), {});
  const at::Tensor hidden = sampler.encode(captions()).hidden;
  EXPECT_LE(relative(hidden, expected("text_hidden")), 1e-5);

  const auto context = pipeline().unet->prepare_context(expected("text_hidden").narrow(0, 0, 2));
  const at::Tensor out = pipeline().unet->forward(expected("unet_in"), at::full({1}, 481.0), context);
  EXPECT_LE(relative(out, expected("unet_out")), 1e-5);

  const double scaling = pipeline().vae->options().scaling_factor;
  EXPECT_LE(relative(pipeline().vae->decode(expected("latents") / scaling), expected("decoded")), 1e-5);
  const auto latents = pipeline().vae->encode(picture_file(1).unsqueeze(0) / 127.5 - 1);
  EXPECT_LE(relative(latents.mean, expected("encoded_mean")), 1e-5);
  EXPECT_LE(relative(latents.logvar, expected("encoded_logvar")), 1e-5);
}

TEST(Sampler, DrawsThePicturesOfDiffusers) {
  const Sampler sampler(pipeline(), {});
  const std::vector<uint32_t> seeds = {0, 1, 2, 3, 4, 5, 6, 7};
  const at::Tensor pictures = bytes(sampler.sample(sampler.encode(captions()), seeds));
  for (int64_t i = 0; i < 8; ++i) EXPECT_LE(difference(pictures[i], picture_file(i)), 2) << "seed " << i;
}

TEST(Sampler, HarvestsTheMapsOfDiffusersAndChangesNoPixel) {
  const Sampler sampler(pipeline(), {});
  const std::vector<std::string> caption = {captions()[1]};
  const std::vector<uint32_t> seed = {1};
  const PromptBatch prompts = sampler.encode(caption);
  const auto tokens = static_cast<int64_t>(prompts.encodings[0].ids.size());

  LayerMaps layers;
  const at::Tensor with_probe = sampler.sample(prompts, seed, &layers);
  EXPECT_TRUE(at::equal(with_probe, sampler.sample(prompts, seed)));
  ASSERT_FALSE(layers.sums.empty());
  for (const auto& [layer, sum] : layers.sums) {
    const at::Tensor map = sum.slice(0, 1, 1 + tokens) / static_cast<double>(layers.steps);
    EXPECT_LE(difference(map, expected("layer_maps." + layer)), 1e-4) << layer;
  }

  const auto [height, width] = sampler.latent_size();
  AttentionHarvester harvester({.scales = {1, 2, 4, 8}, .blocks = {"down", "mid", "up"}, .timestep_max = 1000}, height,
                               width, {tokens});
  EXPECT_TRUE(at::equal(sampler.sample(prompts, seed, &harvester), with_probe));
  EXPECT_LE(difference(harvester.maps()[0], expected("token_maps")), 1e-4);
}

}  // namespace
}  // namespace freeatm::diffusion
