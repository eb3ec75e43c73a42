// SPDX-License-Identifier: Apache-2.0
// AutoencoderKL against diffusers (values: scripts/baselines/unet_vae.py).
#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include "freeatm/core/files.h"
#include "freeatm/models/autoencoder_kl.h"

#include "models/hash_weights.h"
#include "testing.h"

namespace freeatm::models {
namespace {

using testing::test_file;

double difference(const at::Tensor& a, const at::Tensor& b) { return (a - b).abs().max().item<double>(); }

class VaeAgainstDiffusers : public ::testing::TestWithParam<const char*> {};

TEST_P(VaeAgainstDiffusers, EncodesAndDecodesAlike) {
  const std::string folder = test_file("models/data/" + std::string(GetParam()));
  AutoencoderKL vae(AutoencoderOptions::from_config(folder + "/config.json"));
  testing::fill_with_hash(vae, 0.2f);
  const auto values = weights::load_safetensors(folder + "/values.safetensors").tensors;
  const at::NoGradGuard no_grad;
  const auto latents = vae.encode(values.at("image"));
  EXPECT_LE(difference(latents.mean, values.at("mean")), 1e-5 * values.at("mean").abs().max().item<double>());
  EXPECT_LE(difference(latents.logvar, values.at("logvar")), 1e-5 * values.at("logvar").abs().max().item<double>());
  EXPECT_LE(difference(vae.decode(values.at("mean")), values.at("decoded")),
            1e-5 * values.at("decoded").abs().max().item<double>());
}

INSTANTIATE_TEST_SUITE_P(Models, VaeAgainstDiffusers, ::testing::Values("vae_sd", "vae_other"));

TEST(AutoencoderOptions, RefusesByNameWhatItDoesNotDo) {
  const auto with = [](const std::string& text) {
    const testing::TemporaryFolder folder;
    const std::string path = (folder / "config.json").string();
    write_file(path, text);
    return AutoencoderOptions::from_config(path);
  };
  EXPECT_DOUBLE_EQ(with("{}").scaling_factor, 0.18215);
  EXPECT_USER_ERROR(with(R"({"shift_factor": 0.1})"), "shift_factor");
  EXPECT_USER_ERROR(with(R"({"down_block_types": ["AttnDownEncoderBlock2D"]})"),
                    "'AttnDownEncoderBlock2D' is not DownEncoderBlock2D");
  EXPECT_USER_ERROR(with(R"({"block_out_channels": [48]})"), "48 is no multiple of norm_num_groups 32");
}

TEST(LegacyAttentionNames, AreMappedInsideAttentionsOnly) {
  const at::Tensor matrix = at::arange(4.0).view({2, 2});
  const auto renamed =
      with_current_attention_names({{"encoder.mid_block.attentions.0.query.weight", matrix.view({2, 2, 1, 1})},
                                    {"encoder.mid_block.attentions.0.proj_attn.bias", matrix[0]},
                                    {"encoder.mid_block.attentions.0.to_k.bias", matrix[1]},
                                    {"some.key.weight", matrix}});
  ASSERT_EQ(renamed.size(), 4u);
  EXPECT_TRUE(at::equal(renamed.at("encoder.mid_block.attentions.0.to_q.weight"), matrix));
  EXPECT_TRUE(at::equal(renamed.at("encoder.mid_block.attentions.0.to_out.0.bias"), matrix[0]));
  EXPECT_TRUE(renamed.contains("encoder.mid_block.attentions.0.to_k.bias"));
  EXPECT_TRUE(renamed.contains("some.key.weight"));
}

}  // namespace
}  // namespace freeatm::models
