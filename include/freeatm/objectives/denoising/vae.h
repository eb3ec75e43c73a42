// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cstdint>
#include <memory>

#include <ATen/core/Tensor.h>

#include "freeatm/config/fields.h"
#include "freeatm/models/autoencoder_kl.h"
#include "freeatm/training/objective.h"

namespace freeatm::objectives {

struct VaeOptions {
  int64_t crop = 32;  // side of what a step sees of a picture, pixels
  double flip_probability = 0.5;
  double l1 = 0.1, gradient = 0.05, kl = 4e-5;  // weights beside the squared error's 1
  void fields(config::Fields& f);
};

/// A latent diffusion's autoencoder, after Rombach et al. 2022 without its discriminator:
///   L = mean (y - x)^2 + l1 mean |y - x| + gradient (mean |d_x (y - x)| + mean |d_y (y - x)|) + kl KL
/// with pixels in [-1, 1], y decoded from one draw of the latents, d a difference of neighbours, and KL that of the
/// latents from the standard normal in nats, summed over channels, the mean over cells.
/// Losses: "squared", "l1", "gradient", "kl", each with its weight.
class Vae final : public training::Objective {
 public:
  Vae(std::shared_ptr<models::AutoencoderKL> vae, const VaeOptions& options);

  /// "pixels": bytes [crop, crop, 3], from a random place, perhaps mirrored; "noise": [latent_channels, h, w]
  data::View prepare(data::Sample&& sample, RandomStream& random, double progress) const override;
  training::Losses losses(const data::Batch& batch) override;

 private:
  VaeOptions options_;
  std::shared_ptr<models::AutoencoderKL> vae_;
};

/// The mean over pictures of each one's peak signal-to-noise ratio after encoding and decoding the latents' means, dB.
///   pixels: bytes [N, side, side, 3]
double reconstruction_psnr(models::AutoencoderKL& vae, const at::Tensor& pixels, at::Device device);

/// What comes back of pictures. Returns bytes of the same shape.
at::Tensor reconstruct(models::AutoencoderKL& vae, const at::Tensor& pixels, at::Device device);

}  // namespace freeatm::objectives
