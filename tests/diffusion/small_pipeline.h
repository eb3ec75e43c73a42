// SPDX-License-Identifier: Apache-2.0
// A StableDiffusionPipeline folder of our own with hash weights, small enough for tests.
#pragma once
#include "freeatm/diffusion/pipeline_writer.h"
#include "freeatm/text/bpe_trainer.h"

#include "models/hash_weights.h"

namespace freeatm::testing {

struct SmallPipeline {
  models::UNetOptions unet_options;
  models::AutoencoderOptions vae_options;
  models::ClipTextConfig text_config;
  diffusion::DdimOptions scheduler;
  std::shared_ptr<models::UNet2DConditionModel> unet;
  std::shared_ptr<models::AutoencoderKL> vae;
  std::shared_ptr<models::ClipTextModelImpl> text_encoder;

  /// Writes FOLDER/tokenizer and FOLDER/model.
  explicit SmallPipeline(const fs::path& folder, at::ScalarType dtype = at::kFloat) {
    const auto vocabulary = text::learn_byte_pairs({"a dog and two cats", "a cat, a dog"}, {.min_frequency = 1}, "");
    text::save_clip_tokenizer(folder / "tokenizer", vocabulary, 9);

    unet_options.sample_size = 8;
    unet_options.block_out_channels = {16, 24};
    unet_options.layers_per_block = {1, 2};
    unet_options.heads = {2, 3};
    unet_options.cross_attention_dim = {20, 20};
    unet_options.down_cross = {true, false};
    unet_options.up_cross = {false, true};
    unet_options.norm_num_groups = 4;
    vae_options.block_out_channels = {8, 16};
    vae_options.norm_num_groups = 4;
    vae_options.scaling_factor = 0.71;
    text_config = {.vocab_size = static_cast<int64_t>(vocabulary.pieces.size()),
                   .hidden_size = 20,
                   .intermediate_size = 30,
                   .num_hidden_layers = 1,
                   .num_attention_heads = 2,
                   .max_position_embeddings = 9};
    scheduler.noise = {.beta_start = 0.00085,
                       .beta_end = 0.012,
                       .beta_schedule = "scaled_linear",
                       .prediction = diffusion::Prediction::kVelocity};
    scheduler.timestep_spacing = "trailing";
    scheduler.clip_sample = false;
    scheduler.steps_offset = 1;

    unet = std::make_shared<models::UNet2DConditionModel>(unet_options);
    vae = std::make_shared<models::AutoencoderKL>(vae_options);
    text_encoder = std::make_shared<models::ClipTextModelImpl>(text_config);
    fill_with_hash(*unet, 0.15f);
    fill_with_hash(*vae, 0.2f);
    fill_with_hash(*text_encoder, 0.3f);
    diffusion::save_pipeline(
        folder / "model", {*text_encoder, *unet, *vae, diffusion::ddim_config(scheduler), folder / "tokenizer"}, dtype);
  }
};

}  // namespace freeatm::testing
