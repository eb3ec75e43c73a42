// SPDX-License-Identifier: Apache-2.0
// Folders like Stable Diffusion 1 and 2: the pictures are those that diffusers draws from them, whatever the options.
// Values: scripts/baselines/tiny_folders.py.
#include <ATen/ATen.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "freeatm/diffusion/sampler.h"
#include "freeatm/weights/safetensors.h"

#include "hash_folder.h"
#include "tensors.h"

namespace freeatm::diffusion {
namespace {

using nlohmann::json;
using testing::difference;

const std::vector<std::string> kCaptions = {"a dog and two cats", "A zebra on the grass!"};
const std::vector<uint32_t> kSeeds = {5, 4294967295u};

SamplerOptions options_of(const json& run) {
  SamplerOptions o;
  o.steps = run.value("steps", 12);
  o.guidance_scale = run.value("guidance_scale", 4.0);
  o.guidance_rescale = run.value("guidance_rescale", 0.0);
  o.guidance_interval = run.value("guidance_interval", std::vector<int64_t>());
  o.negative_prompt = run.value("negative_prompt", "");
  o.eta = run.value("eta", 0.0);
  if (run.contains("scheduler")) o.scheduler = run["scheduler"];
  if (run.contains("height")) o.height = run["height"];
  if (run.contains("width")) o.width = run["width"];
  return o;
}

/// What one layer's tokens get, summed over the calls: [tokens, h, w].
class LayerSum : public models::AttentionProbe {
 public:
  explicit LayerSum(std::string layer) : layer_(std::move(layer)) {}
  bool wants(const models::AttentionSite& site) const override { return site.layer == layer_; }
  void begin_step(int64_t, double) override {}
  void observe(const models::AttentionCall& call) override {
    const at::Tensor scores = at::matmul(call.query, call.key.transpose(2, 3)) * call.scale;
    const at::Tensor maps = at::softmax(scores, -1).mean(1)[0].t().reshape({-1, call.site.height, call.site.width});
    sum = sum.defined() ? sum + maps : maps;
  }
  at::Tensor sum;

 private:
  std::string layer_;
};

class Folders : public ::testing::TestWithParam<std::string> {
 protected:
  const testing::HashFolder folder_{GetParam()};
  const Pipeline pipeline_ = Pipeline::load(folder_.path(), at::kCPU, at::kFloat);
  const weights::Safetensors expected_ = weights::load_safetensors(folder_.file("expected.safetensors"));
};

TEST_P(Folders, DrawThePicturesOfDiffusers) {
  ASSERT_GE(expected_.metadata.size(), 8u);
  for (const auto& [run, text] : expected_.metadata) {
    const Sampler sampler(pipeline_, options_of(json::parse(text)));
    const at::Tensor pictures = sampler.sample(sampler.encode(kCaptions), kSeeds);  // [2, 3, H, W]
    const at::Tensor theirs = expected_.tensors.at(run + ".pictures").permute({0, 3, 1, 2}).to(at::kFloat);
    ASSERT_EQ(pictures.sizes(), theirs.sizes());
    EXPECT_LE(difference((pictures * 255).round(), theirs), 1) << run;
  }
}

TEST_P(Folders, AreSeenAgainAsInDiffusers) {
  const Sampler sampler(pipeline_, {});
  const at::Tensor picture =
      expected_.tensors.at("plain.pictures").narrow(0, 0, 1).permute({0, 3, 1, 2}).to(at::kFloat) / 255;
  LayerSum probe("up_blocks.1.attentions.0.transformer_blocks.0.attn2");
  sampler.reobserve(picture, sampler.encode(std::span(kCaptions).first(1)), std::span(kSeeds).first(1),
                    std::vector<int64_t>{100, 400}, probe);
  EXPECT_LE(difference(probe.sum, expected_.tensors.at("reobserved")), 1e-6);
}

INSTANTIATE_TEST_SUITE_P(Tiny, Folders, ::testing::Values("sd1_like", "sd2_like"),
                         [](const auto& info) { return info.param; });

}  // namespace
}  // namespace freeatm::diffusion
