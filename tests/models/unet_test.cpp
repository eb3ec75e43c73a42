// SPDX-License-Identifier: Apache-2.0
// UNet2DConditionModel against diffusers (values: scripts/baselines/unet_vae.py), and what the sampler counts on.
#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include "freeatm/core/files.h"
#include "freeatm/models/unet_2d_condition.h"
#include "freeatm/weights/safetensors.h"

#include "models/hash_weights.h"
#include "testing.h"

namespace freeatm::models {
namespace {

using testing::test_file;

struct Case {
  std::shared_ptr<UNet2DConditionModel> unet;
  weights::TensorMap values;
};

Case load(const std::string& name) {
  const std::string folder = test_file("models/data/" + name);
  Case c{std::make_shared<UNet2DConditionModel>(UNetOptions::from_config(folder + "/config.json")),
         weights::load_safetensors(folder + "/values.safetensors").tensors};
  testing::fill_with_hash(*c.unet, 0.15f);
  return c;
}

double difference(const at::Tensor& a, const at::Tensor& b) { return (a - b).abs().max().item<double>(); }

at::Tensor timesteps(std::initializer_list<double> values) {
  return at::tensor(at::ArrayRef<double>(values), at::kFloat);
}

/// Keeps what it is shown.
class RecordingProbe : public AttentionProbe {
 public:
  bool wants(const AttentionSite&) const override { return true; }
  void begin_step(int64_t, double) override {}
  void observe(const AttentionCall& call) override {
    sites.push_back(call.site);
    rows.push_back(call.query.narrow(0, call.first_row, call.rows).clone());
  }
  std::vector<AttentionSite> sites;
  std::vector<at::Tensor> rows;
};

class UNetAgainstDiffusers : public ::testing::TestWithParam<const char*> {};

TEST_P(UNetAgainstDiffusers, EqualForOneTimeAndForOneTimeAPicture) {
  auto [unet, values] = load(GetParam());
  const at::NoGradGuard no_grad;
  const UNetContext context = unet->prepare_context(values.at("states"));
  const double scale = values.at("one_time").abs().max().item<double>();
  EXPECT_LE(difference(unet->forward(values.at("sample"), timesteps({381}), context), values.at("one_time")),
            1e-5 * scale);
  EXPECT_LE(difference(unet->forward(values.at("sample"), timesteps({20, 999}), context), values.at("two_times")),
            1e-5 * scale);
}

INSTANTIATE_TEST_SUITE_P(Models, UNetAgainstDiffusers, ::testing::Values("unet_sd1", "unet_sd2", "unet_other"));

TEST(UNet, BothHalvesOfGuidanceEqualTwoPasses) {
  for (const char* name : {"unet_sd1", "unet_other"}) {  // with cross-attention from the first block on, and later
    auto [unet, values] = load(name);
    const c10::InferenceMode inference;
    const at::Tensor &sample = values.at("sample"), &states = values.at("states");
    const at::Tensor both = unet->forward(sample, timesteps({381}), unet->prepare_context(at::cat({-states, states})));
    EXPECT_LE(difference(both.narrow(0, 0, 2), unet->forward(sample, timesteps({381}), unet->prepare_context(-states))),
              1e-5);
    EXPECT_LE(difference(both.narrow(0, 2, 2), values.at("one_time")), 2e-5);
  }
}

TEST(UNet, ProbeSeesEveryLayerOfItsRowsAndChangesNothing) {
  auto [unet, values] = load("unet_sd1");
  const c10::InferenceMode inference;
  const at::Tensor &sample = values.at("sample"), &states = values.at("states");
  const UNetContext both = unet->prepare_context(at::cat({-states, states}));
  RecordingProbe of_both, of_one;
  const at::Tensor seen = unet->forward(sample, timesteps({381}), both, &of_both, 2, 2);
  EXPECT_TRUE(at::equal(seen, unet->forward(sample, timesteps({381}), both)));

  unet->forward(sample, timesteps({381}), unet->prepare_context(states), &of_one);
  ASSERT_EQ(of_both.sites.size(), 22u);  // 11 transformers
  ASSERT_EQ(of_one.sites.size(), 22u);
  EXPECT_EQ(of_both.sites[1].layer, "down_blocks.0.attentions.0.transformer_blocks.0.attn2");
  EXPECT_TRUE(of_both.sites[1].is_cross);
  EXPECT_FALSE(of_both.sites[0].is_cross);
  EXPECT_EQ(of_both.sites.back().layer, "up_blocks.2.attentions.2.transformer_blocks.0.attn2");
  EXPECT_EQ(of_both.sites.back().block, Block::kUp);
  EXPECT_EQ(of_both.sites.back().height, 9);
  EXPECT_EQ(of_both.sites.back().width, 7);
  EXPECT_EQ(of_both.sites.back().heads, 4);
  for (size_t i = 0; i < of_one.rows.size(); ++i)
    EXPECT_LE(difference(of_both.rows[i], of_one.rows[i]), 1e-4) << of_one.sites[i].layer;
}

TEST(UNet, GradientsReachEveryParameterAndTheStates) {
  auto [unet, values] = load("unet_other");
  const at::Tensor states = values.at("states").clone().requires_grad_();
  const at::Tensor out = unet->forward(values.at("sample"), timesteps({20, 999}), unet->prepare_context(states));
  EXPECT_LE(difference(out.detach(), values.at("two_times")), 2e-5);
  out.square().sum().backward();
  EXPECT_GT(states.grad().abs().sum().item<double>(), 0);
  for (const auto& item : unet->named_parameters()) {
    ASSERT_TRUE(item.value().grad().defined()) << item.key();
    EXPECT_GT(item.value().grad().abs().sum().item<double>(), 0) << item.key();
  }
}

TEST(UNetOptions, RefusesByNameWhatItDoesNotDo) {
  const auto with = [](const std::string& text) {
    const testing::TemporaryFolder folder;
    const std::string path = (folder / "config.json").string();
    write_file(path, text);
    return UNetOptions::from_config(path);
  };
  EXPECT_EQ(with(R"({"attention_head_dim": [5, 10, 20, 20]})").heads, (std::vector<int64_t>{5, 10, 20, 20}));
  EXPECT_USER_ERROR(with(R"({"addition_embed_type": "text_time"})"), "addition_embed_type");
  EXPECT_USER_ERROR(with(R"({"transformer_layers_per_block": [1, 2, 10, 10]})"), "transformer_layers_per_block");
  EXPECT_USER_ERROR(with(R"({"attention_head_dim": [5, 10]})"), "attention_head_dim: [5, 10] has not one value");
  EXPECT_USER_ERROR(with(R"({"attention_head_dim": 7})"), "7 heads do not divide 320 channels");
  EXPECT_USER_ERROR(with(R"({"up_block_types": ["AttnUpBlock2D", "UpBlock2D", "UpBlock2D", "UpBlock2D"]})"),
                    "'AttnUpBlock2D' is not");
  EXPECT_USER_ERROR(with(R"({"time_embeding_type": "fourier"})"), "time_embeding_type");
}

}  // namespace
}  // namespace freeatm::models
