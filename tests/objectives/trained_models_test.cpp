// SPDX-License-Identifier: Apache-2.0
#include "freeatm/objectives/trained_models.h"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include "freeatm/models/clip.h"

#include "testing.h"

namespace freeatm::objectives {
namespace {

/// No weight tells the activation: with another one the same file gives other features.
TEST(OpenPretrained, TakesAClipFoldersOwnModel) {
  for (const char* activation : {"gelu", "quick_gelu"}) {
    models::ClipConfig config;
    config.vision = {.image_size = 32, .patch_size = 8, .dim = 24, .depth = 2, .heads = 3, .mlp_dim = 48};
    config.vision.activation = activation;
    config.text.vocab_size = 50, config.text.hidden_size = 16, config.text.intermediate_size = 32;
    config.text.num_hidden_layers = 1, config.text.num_attention_heads = 2, config.eos_token_id = 49;
    models::Clip clip(config);
    clip->initialize(3);
    const testing::TemporaryFolder folder;
    models::save_clip(*clip, folder.path());

    const Pretrained opened = open_pretrained(folder.path().string(), models::ModelOptions("resnet"));
    EXPECT_EQ(opened.model.name(), "clip_vit");
    const at::NoGradGuard no_grad;
    const at::Tensor images = at::linspace(-2, 2, 2 * 3 * 32 * 32).view({2, 3, 32, 32});
    EXPECT_TRUE(opened.load(0)->forward(images).equal(clip->vision().forward(images))) << activation;
  }
}

}  // namespace
}  // namespace freeatm::objectives
