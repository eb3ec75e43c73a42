// SPDX-License-Identifier: Apache-2.0
// First weights of a diffusion model's parts: each tensor is a function of (seed, its name).
#pragma once
#include <cstdint>

#include "freeatm/models/autoencoder_kl.h"
#include "freeatm/models/clip_text.h"
#include "freeatm/models/unet_2d_condition.h"

namespace freeatm::objectives {

/// Convolutions and linear layers uniform in +-1/sqrt(fan_in), biases too, which is what diffusers' models start with.
void initialize(models::AutoencoderKL& vae, uint64_t seed);

/// The same, but the last layer of each residual branch, and of the whole, is 0 (Dhariwal & Nichol 2021): every block
/// starts as the identity.
void initialize(models::UNet2DConditionModel& unet, uint64_t seed);

/// Normal with CLIP's deviations (Radford et al. 2021), biases 0: embeddings 0.02; with width d and L layers, d^-1/2
/// for out_proj, (2d)^-1/2 for fc1, (2dL)^-1/2 for the other matrices.
void initialize(models::ClipTextModelImpl& text_encoder, uint64_t seed);

}  // namespace freeatm::objectives
