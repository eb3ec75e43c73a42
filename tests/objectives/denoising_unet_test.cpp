// SPDX-License-Identifier: Apache-2.0
// The denoiser's training against diffusers, transformers and PyTorch (values: scripts/baselines/denoising.py).
#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include "freeatm/objectives/denoising/denoising.h"
#include "freeatm/objectives/denoising/weights.h"
#include "freeatm/training/ema.h"
#include "freeatm/training/optimizer.h"
#include "freeatm/weights/safetensors.h"

#include "models/hash_weights.h"
#include "tensors.h"
#include "testing.h"

namespace freeatm::objectives {
namespace {

using diffusion::Prediction;
using testing::relative_difference;

constexpr int64_t kTokens = 6, kVocabulary = 40, kWidth = 16;

models::UNetOptions small_unet() {
  models::UNetOptions o;
  o.sample_size = 8;
  o.block_out_channels = {16, 24};
  o.layers_per_block = {1, 1};
  o.heads = {2, 3};
  o.cross_attention_dim = {kWidth, kWidth};
  o.down_cross = {true, false};
  o.up_cross = {false, true};
  o.norm_num_groups = 4;
  return o;
}

models::ClipTextConfig small_text_encoder() {
  return {.vocab_size = kVocabulary,
          .hidden_size = kWidth,
          .intermediate_size = 32,
          .num_hidden_layers = 2,
          .num_attention_heads = 2,
          .max_position_embeddings = kTokens};
}

diffusion::NoiseSchedule noise_for(Prediction prediction) {
  return {.beta_start = 0.00085, .beta_end = 0.012, .beta_schedule = "scaled_linear", .prediction = prediction};
}

struct Setting {
  const char* name;
  Prediction prediction;
};

class DenoisingAgainstPyTorch : public ::testing::TestWithParam<Setting> {
 protected:
  const weights::TensorMap values =
      weights::load_safetensors(testing::test_file("objectives/data/denoising_unet.safetensors")).tensors;
  const data::Batch batch{{{"index", values.at("index")},
                           {"timestep", values.at("timestep")},
                           {"drop", values.at("drop")},
                           {"noise", values.at("noise")},
                           {"draw", values.at("draw")}}};

  const at::Tensor& expected(const std::string& name) const {
    return values.at(format("{}.{}", GetParam().name, name));
  }

  std::shared_ptr<Denoising> make(const DenoisingOptions& options = {}) const {
    const auto unet = std::make_shared<models::UNet2DConditionModel>(small_unet());
    const auto text_encoder = std::make_shared<models::ClipTextModelImpl>(small_text_encoder());
    auto objective = std::make_shared<Denoising>(
        unet, text_encoder,
        DenoisingData{{values.at("mean"), values.at("std")}, values.at("ids"), values.at("empty_ids")},
        noise_for(GetParam().prediction), options);
    testing::fill_with_hash(*objective, 0.15f);
    return objective;
  }
};

TEST_P(DenoisingAgainstPyTorch, GivesTheSameLoss) {
  const training::Losses losses = make()->losses(batch);
  const double loss = expected("loss").item<double>();
  EXPECT_NEAR(losses.total().item<double>(), loss, 1e-5 * loss);
  const double plain = expected("plain_loss").item<double>();
  EXPECT_NEAR(make({.min_snr_gamma = std::nullopt})->losses(batch).total().item<double>(), plain, 1e-5 * plain);
}

TEST_P(DenoisingAgainstPyTorch, GivesTheSameGradients) {
  const auto objective = make();
  objective->to(at::kDouble);
  objective->losses(batch).total().backward();
  int compared = 0;
  for (const auto& item : objective->named_parameters()) {
    if (item.key().starts_with("ema_")) {
      EXPECT_FALSE(item.value().requires_grad()) << item.key();
      continue;
    }
    const at::Tensor sampled = item.value().grad().flatten().slice(0, 0, std::nullopt, 97);
    EXPECT_LE(relative_difference(sampled, expected("grad." + item.key())), 1e-5) << item.key();  // sinusoids in fp32
    ++compared;
  }
  EXPECT_EQ(compared, 244);
}

TEST_P(DenoisingAgainstPyTorch, WeighsTimestepsAlike) {
  const at::Tensor weights = min_snr_weights(noise_for(GetParam().prediction), 5.0);
  EXPECT_LE(relative_difference(weights.slice(0, 0, std::nullopt, 50), expected("weights")), 1e-6);
}

TEST_P(DenoisingAgainstPyTorch, ObservesTheErrorOfEachBandOfTimesteps) {
  const training::Losses losses = make()->losses(batch);
  const at::Tensor& errors = expected("errors");  // at timesteps 3, 250, 981, 600
  const std::vector<std::pair<std::string, int64_t>> bands = {
      {"loss_t0", 0}, {"loss_t200", 1}, {"loss_t400", -1}, {"loss_t600", 3}, {"loss_t800", 2}};
  ASSERT_EQ(losses.observed.size(), bands.size());
  for (size_t i = 0; i < bands.size(); ++i) {
    const auto& [name, value, count] = losses.observed[i];
    EXPECT_EQ(name, bands[i].first);
    if (bands[i].second < 0) {
      EXPECT_TRUE(std::isnan(value.item<double>()));
    } else {
      const double error = errors[bands[i].second].item<double>();
      EXPECT_NEAR(value.item<double>(), error, 1e-5 * error);
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Objectives, DenoisingAgainstPyTorch,
                         ::testing::Values(Setting{"epsilon", Prediction::kEpsilon},
                                           Setting{"v_prediction", Prediction::kVelocity},
                                           Setting{"sample", Prediction::kSample}),
                         [](const auto& info) { return std::string(info.param.name); });

std::shared_ptr<Denoising> make_untrained(const DenoisingOptions& options) {
  const auto unet = std::make_shared<models::UNet2DConditionModel>(small_unet());
  const auto text_encoder = std::make_shared<models::ClipTextModelImpl>(small_text_encoder());
  initialize(*unet, 1);
  initialize(*text_encoder, 1);
  const at::Tensor mean = testing::hash_tensor("mean", {2, 4, 8, 8});
  const at::Tensor ids = at::arange(2 * kTokens).view({2, kTokens});
  return std::make_shared<Denoising>(unet, text_encoder, DenoisingData{{mean, at::zeros_like(mean)}, ids, ids[0]},
                                     noise_for(Prediction::kVelocity), options);
}

data::Batch batch_of(const Denoising& objective, int64_t size) {
  std::vector<data::View> views;
  for (int64_t i = 0; i < size; ++i) {
    RandomStream random(1, "view", 0, static_cast<uint64_t>(i));
    views.push_back(objective.prepare({}, random, 0));
  }
  data::Batch batch = data::collate(std::move(views), std::vector<std::string>(size));
  batch.tensors["index"] = at::arange(size).remainder(2);
  return batch;
}

TEST(Denoising, DrawsWhatItSays) {
  const data::Batch batch = batch_of(*make_untrained({.caption_dropout = 0.25}), 2000);
  EXPECT_NEAR(batch["drop"].to(at::kFloat).mean().item<double>(), 0.25, 0.04);
  EXPECT_EQ(batch["timestep"].min().item<int64_t>() / 10, 0);
  EXPECT_EQ(batch["timestep"].max().item<int64_t>() / 10, 99);
  EXPECT_NEAR(batch["timestep"].to(at::kFloat).mean().item<double>(), 499.5, 25);
  for (const char* name : {"noise", "draw"}) {
    EXPECT_NEAR(batch[name].mean().item<double>(), 0, 0.01) << name;
    EXPECT_NEAR(batch[name].std().item<double>(), 1, 0.01) << name;
  }
  EXPECT_LT((batch["noise"] * batch["draw"]).mean().abs().item<double>(), 0.01);  // independent
  EXPECT_FALSE(batch_of(*make_untrained({.sample_latents = false}), 1).tensors.contains("draw"));
}

TEST(Denoising, StartsFromTheOutputZero) {
  const auto objective = make_untrained({.min_snr_gamma = std::nullopt});
  const data::Batch batch = batch_of(*objective, 64);
  // v of unit noise and these latents: nothing is predicted yet, so its mean square is the loss.
  const double power = testing::hash_tensor("mean", {2, 4, 8, 8}).square().mean().item<double>();
  const double loss = objective->losses(batch).total().item<double>();
  EXPECT_GT(loss, 0.9 * power);
  EXPECT_LT(loss, 1.1);
}

TEST(Denoising, LearnsAndItsAveragesFollow) {
  const auto objective = make_untrained({});
  const data::Batch batch = batch_of(*objective, 8);
  const double before = objective->losses(batch).total().item<double>();
  const auto optimizer = training::make_optimizer({}, objective->parameter_groups());
  training::EmaHook ema(objective->averages(), 0.9);
  optimizer->set_learning_rate(3e-3);
  for (int64_t step = 1; step <= 40; ++step) {
    const training::Losses losses = objective->losses(batch);
    optimizer->backward_and_step(losses.total());
    ema.after_step({{0, step, step}, 3e-3, losses, batch});
  }
  EXPECT_LT(objective->losses(batch).total().item<double>(), 0.6 * before);
  const auto& trained = objective->averages().trained();
  const auto& averages = objective->averages().averages();
  EXPECT_EQ(trained.size(), 244u);
  int64_t moved = 0;
  for (size_t i = 0; i < trained.size(); ++i) moved += !trained[i].equal(averages[i]);
  EXPECT_GT(moved, 200);
  EXPECT_TRUE(objective->ema_unet()->parameters().front().is_same(averages.front()));
}

TEST(Denoising, TrainsTheUNetAloneWhereAsked) {
  const auto objective = make_untrained({.train_text_encoder = false});
  for (const auto& group : objective->parameter_groups()) {
    for (const auto& [name, parameter] : group.parameters) EXPECT_TRUE(name.starts_with("unet.")) << name;
  }
  objective->losses(batch_of(*objective, 2)).total().backward();
  EXPECT_FALSE(objective->named_parameters()["text_encoder.final_layer_norm.weight"].grad().defined());
}

TEST(FirstWeights, AreAFunctionOfSeedAndName) {
  models::UNet2DConditionModel a(small_unet()), b(small_unet()), c(small_unet());
  initialize(a, 1);
  initialize(b, 1);
  initialize(c, 2);
  const std::string name = "down_blocks.0.resnets.0.conv1.weight";
  EXPECT_TRUE(a.named_parameters()[name].equal(b.named_parameters()[name]));
  EXPECT_FALSE(a.named_parameters()[name].equal(c.named_parameters()[name]));
  EXPECT_NEAR(a.named_parameters()[name].abs().max().item<double>(), 1 / std::sqrt(16 * 9), 1e-3);
  models::ClipTextModelImpl text_encoder(small_text_encoder());
  initialize(text_encoder, 1);
  EXPECT_NEAR(text_encoder.named_parameters()["embeddings.token_embedding.weight"].std().item<double>(), 0.02, 2e-3);
  EXPECT_NEAR(text_encoder.named_parameters()["encoder.layers.0.mlp.fc1.weight"].std().item<double>(),
              1 / std::sqrt(2 * 16), 0.02);
}

}  // namespace
}  // namespace freeatm::objectives
