// SPDX-License-Identifier: Apache-2.0
// UNet2DConditionModel against diffusers (values: scripts/baselines/unet_vae.py), and what the sampler counts on.
#include <gtest/gtest.h>

#include "freeatm/models/unet_2d_condition.h"

#include "models/cases.h"
#include "tensors.h"

namespace freeatm::models {
namespace {

using testing::Case;
using testing::difference;
using testing::hash_tensor;

std::vector<Case> unet_cases() { return testing::read_cases("unet"); }

/// A case's model, and what goes in, in one type.
struct UNetInputs {
  explicit UNetInputs(const Case& c, at::ScalarType dtype = at::kFloat)
      : unet(testing::from_json(c.data["config"], UNetOptions::from_config)) {
    testing::fill_with_hash(unet, 0.15f);
    unet.to(dtype);
    const auto size = c.data["size"].get<std::vector<int64_t>>();
    const UNetOptions& o = unet.options();
    sample = hash_tensor("sample", {2, o.in_channels, size[0], size[1]}).to(dtype);
    states = hash_tensor("states", {2, c.data["tokens"].get<int64_t>(), o.cross_attention_dim[0]}).to(dtype);
  }

  at::Tensor forward(std::initializer_list<double> timesteps) {
    return unet.forward(sample, at::tensor(at::ArrayRef<double>(timesteps), at::kFloat), unet.prepare_context(states));
  }

  UNet2DConditionModel unet;
  at::Tensor sample, states;
};

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

TEST(UNet, EqualsDiffusers) {
  double worst = 0;
  for (const Case& c : unet_cases()) {
    SCOPED_TRACE(c.name);
    const c10::InferenceMode inference;
    UNetInputs in(c);
    const double one = testing::worst(in.forward({381}), c.values.at("one_time"));
    const double two = testing::worst(in.forward({20, 999}), c.values.at("two_times"));
    EXPECT_LE(one, 1e-5);
    EXPECT_LE(two, 1e-5);
    worst = std::max({worst, one, two});
  }
  RecordProperty("worst", format("{}", worst));
}

TEST(UNet, GradientsEqualDiffusersInDoublePrecision) {
  double worst = 0, worst_output = 0;
  for (const Case& c : unet_cases()) {
    SCOPED_TRACE(c.name);
    UNetInputs in(c, at::kDouble);
    in.sample.requires_grad_();
    in.states.requires_grad_();
    const at::Tensor out = in.forward({20, 999});
    (out * hash_tensor("loss", out.sizes()).to(at::kDouble)).sum().backward();
    const double output = testing::worst(out, c.values.at("two_times"));
    const double gradient =
        testing::worst_gradient(in.unet, {{"sample", in.sample}, {"states", in.states}}, c.values.at("gradients"));
    // The sinusoids of the steps are fp32 in diffusers, too, and their last bit is the processor's.
    EXPECT_LE(output, 1e-7);
    EXPECT_LE(gradient, 1e-6);
    worst = std::max(worst, gradient), worst_output = std::max(worst_output, output);
  }
  RecordProperty("worst_gradient", format("{}", worst));
  RecordProperty("worst_output", format("{}", worst_output));
}

/// Half precision has no right answer: it may be off by half as much again as diffusers is in the same type.
TEST(UNet, HalfPrecisionIsAsCloseAsDiffusers) {
  for (const auto& [dtype, key] : {std::pair(at::kBFloat16, "bf16_error"), std::pair(at::kHalf, "fp16_error")}) {
    double worst = 0;
    for (const Case& c : unet_cases()) {
      SCOPED_TRACE(c.name);
      const c10::InferenceMode inference;
      const at::Tensor out = UNetInputs(c, dtype).forward({381});
      ASSERT_EQ(out.scalar_type(), dtype);
      const double ratio = testing::off_by(out, UNetInputs(c, at::kDouble).forward({381})) / c.number(key);
      EXPECT_LE(ratio, 1.5) << key;
      worst = std::max(worst, ratio);
    }
    RecordProperty(key, format("{}", worst));
  }
}

// A step of DeepCache: diffusers' model with the output of the block below the cut exchanged for the one before.
TEST(UNet, ReusedDeepLevelsEqualDiffusers) {
  double worst = 0;
  for (const Case& c : unet_cases()) {
    const auto levels = std::ssize(UNetInputs(c).unet.options().block_out_channels);
    for (int64_t depth = 1; depth < levels; ++depth) {
      SCOPED_TRACE(format("{}, depth {}", c.name, depth));
      const c10::InferenceMode inference;
      UNetInputs in(c);
      const at::Tensor later = hash_tensor("later", in.sample.sizes());
      const UNetContext context = in.unet.prepare_context(in.states);
      UNetCache cache{depth, {}};
      const auto run = [&](const at::Tensor& sample, float timestep) {
        return in.unet.forward(sample, at::tensor({timestep}), context, nullptr, 0, -1, &cache);
      };
      EXPECT_TRUE(at::equal(run(in.sample, 381), in.forward({381})));  // sets it
      for (int again = 0; again < 2; ++again) {                        // and it stays as it is
        const double off = testing::worst(run(later, 341), c.values.at(format("reusing_{}", depth)));
        EXPECT_LE(off, 1e-5);
        worst = std::max(worst, off);
      }
      cache.features.reset();
      const at::Tensor whole = run(later, 341);
      in.sample = later;
      EXPECT_TRUE(at::equal(whole, in.forward({341})));
    }
  }
  RecordProperty("worst", format("{}", worst));
}

TEST(UNet, ReusedDeepLevelsOfBothHalvesEqualTwoPasses) {
  for (const Case& c : unet_cases()) {
    UNetInputs in(c);
    if (in.unet.options().block_out_channels.size() < 2) continue;
    SCOPED_TRACE(c.name);
    const c10::InferenceMode inference;
    const at::Tensor later = hash_tensor("later", in.sample.sizes());
    const auto second_step = [&](const at::Tensor& states) {
      const UNetContext context = in.unet.prepare_context(states);
      UNetCache cache;
      in.unet.forward(in.sample, at::tensor({381.0f}), context, nullptr, 0, -1, &cache);
      return in.unet.forward(later, at::tensor({341.0f}), context, nullptr, 0, -1, &cache);
    };
    const at::Tensor both = second_step(at::cat({-in.states, in.states})), second = second_step(in.states);
    const double allowed = 1e-5 * second.abs().max().item<double>();
    EXPECT_LE(difference(both.narrow(0, 0, 2), second_step(-in.states)), allowed);
    EXPECT_LE(difference(both.narrow(0, 2, 2), second), allowed);
  }
}

TEST(UNet, BothHalvesOfGuidanceEqualTwoPasses) {
  for (const Case& c : unet_cases()) {  // with cross-attention from the first block on, and later
    SCOPED_TRACE(c.name);
    const c10::InferenceMode inference;
    UNetInputs in(c);
    for (const at::Tensor& times : {at::tensor({381.0f}), at::tensor({20.0f, 999.0f})}) {
      const auto run = [&](const at::Tensor& states) {
        return in.unet.forward(in.sample, times, in.unet.prepare_context(states));
      };
      const at::Tensor both = run(at::cat({-in.states, in.states})), second = run(in.states);
      const double allowed = 1e-5 * second.abs().max().item<double>();
      ASSERT_EQ(both.size(0), 4);
      EXPECT_LE(difference(both.narrow(0, 0, 2), run(-in.states)), allowed);
      EXPECT_LE(difference(both.narrow(0, 2, 2), second), allowed);
    }
  }
}

TEST(UNet, ProbeSeesEveryLayerOfItsRowsAndChangesNothing) {
  UNetInputs in(testing::case_named("unet", "sd1"));
  const c10::InferenceMode inference;
  const at::Tensor time = at::tensor({381.0f});
  const UNetContext both = in.unet.prepare_context(at::cat({-in.states, in.states}));
  RecordingProbe of_both, of_one;
  const at::Tensor seen = in.unet.forward(in.sample, time, both, &of_both, 2, 2);
  EXPECT_TRUE(at::equal(seen, in.unet.forward(in.sample, time, both)));

  in.unet.forward(in.sample, time, in.unet.prepare_context(in.states), &of_one);
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

}  // namespace
}  // namespace freeatm::models
