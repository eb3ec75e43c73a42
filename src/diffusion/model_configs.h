// SPDX-License-Identifier: Apache-2.0
// The config files of a diffusers folder, with every key that diffusers 0.42 and transformers 5 write.
#pragma once
#include <cstdint>
#include <string>

#include "freeatm/diffusion/ddim.h"
#include "freeatm/models/autoencoder_kl.h"
#include "freeatm/models/clip_text.h"
#include "freeatm/models/unet_2d_condition.h"

namespace freeatm::diffusion {

///   scheduler: its class
std::string model_index(const std::string& scheduler);
std::string unet_config(const models::UNetOptions& options);
///   sample_size: side of the pictures
std::string vae_config(const models::AutoencoderOptions& options, int64_t sample_size);
std::string text_encoder_config(const models::ClipTextConfig& config);

}  // namespace freeatm::diffusion
