// SPDX-License-Identifier: Apache-2.0
// Blocks as wide as Stable Diffusion's own against diffusers (values: scripts/baselines/full_width.py).
#include <gtest/gtest.h>

#include "freeatm/models/autoencoder_kl.h"
#include "freeatm/models/clip_text.h"

#include "models/cases.h"
#include "unet_blocks.h"

namespace freeatm::models {
namespace {

using testing::Case;
using testing::hash_tensor;

constexpr float kScale = 0.03f;

/// Numbers the block's cross-attention layers as UNet2DConditionModel does, and gives their keys and values.
UNetContext context_of(torch::nn::Module& block, const at::Tensor& states) {
  UNetContext context{.layers = {}, .rows = states.size(0)};
  for (const auto& module : block.modules(/*include_self=*/false)) {
    auto* attention = module->as<Attention>();
    if (!attention || !attention->site.is_cross) continue;
    attention->context_index = static_cast<int64_t>(context.layers.size());
    context.layers.push_back(attention->keys_values(states));
  }
  return context;
}

at::Tensor block_output(const Case& c) {
  const UNetOptions options = testing::from_json(c.data["config"], UNetOptions::from_config);
  const auto kind = c.data["block"].get<std::string>();
  const at::Tensor x = hash_tensor("x", c.data["x"].get<std::vector<int64_t>>());
  const at::Tensor states = hash_tensor("states", {1, 77, options.cross_attention_dim[0]});
  const size_t position = kind == "mid_block" ? 0 : static_cast<size_t>(kind.back() - '0');
  // What lies below the block's own skips tells the up block which grid to reach.
  std::vector<at::Tensor> skips = {at::zeros({1, 1, 2 * x.size(2), 2 * x.size(3)})};
  for (const auto& shape : c.data["skips"])
    skips.push_back(hash_tensor(format("skip{}", skips.size() - 1), shape.get<std::vector<int64_t>>()));

  const auto run = [&](auto block, auto... more) {
    testing::fill_with_hash(block, kScale);
    const UNetContext context = context_of(block, states);
    return block.forward(x, UNetPass{at::silu(hash_tensor("time", {1, 1280})), context, nullptr, 0, 1}, more...);
  };
  if (kind == "mid_block") return run(UNetMidBlock(options));
  const bool has_next = position + 1 < options.block_out_channels.size();
  if (kind.starts_with("down")) return run(UNetDownBlock(options, position), std::ref(skips), has_next);
  return run(UNetUpBlock(options, position), std::ref(skips));
}

TEST(FullWidth, UNetBlocksEqualDiffusers) {
  const c10::InferenceMode inference;
  double worst = 0;
  for (const Case& c : testing::read_cases("full_width")) {
    if (!c.data.contains("block")) continue;
    SCOPED_TRACE(c.name);
    const double difference = testing::worst(block_output(c), c.values.at("output"));
    EXPECT_LE(difference, 1e-5);
    worst = std::max(worst, difference);
  }
  RecordProperty("worst", format("{}", worst));
}

TEST(FullWidth, AutoencoderEqualsDiffusers) {
  const c10::InferenceMode inference;
  const Case c = testing::case_named("full_width", "vae");
  AutoencoderKL vae(testing::from_json(c.data["config"], AutoencoderOptions::from_config));
  testing::fill_with_hash(vae, kScale);
  const at::Tensor mean = vae.encode(hash_tensor("image", {1, 3, 40, 24})).mean;
  const double encoded = testing::worst(mean, c.values.at("mean"));
  const double decoded = testing::worst(vae.decode(mean), c.values.at("output"));
  EXPECT_LE(encoded, 1e-5);
  EXPECT_LE(decoded, 1e-5);
  RecordProperty("worst", format("{}", std::max(encoded, decoded)));
}

TEST(FullWidth, TextEncodersEqualTransformers) {
  const c10::InferenceMode inference;
  double worst = 0;
  for (const char* name : {"sd15 text", "sd21 text"}) {
    const Case c = testing::case_named("full_width", name);
    ClipTextModel model(testing::from_json(c.data["config"], ClipTextConfig::read));
    testing::fill_with_hash(*model, kScale);
    const at::Tensor ids = (at::arange(77).view({1, 77}) * 641).remainder(49408);
    const double difference = testing::worst(model->forward(ids), c.values.at("output"));
    EXPECT_LE(difference, 1e-5) << name;
    worst = std::max(worst, difference);
  }
  RecordProperty("worst", format("{}", worst));
}

}  // namespace
}  // namespace freeatm::models
