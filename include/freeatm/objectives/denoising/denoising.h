// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include <ATen/core/Tensor.h>

#include "freeatm/config/fields.h"
#include "freeatm/diffusion/scheduler.h"
#include "freeatm/models/clip_text.h"
#include "freeatm/models/unet_2d_condition.h"
#include "freeatm/objectives/denoising/data.h"
#include "freeatm/training/ema.h"
#include "freeatm/training/objective.h"

namespace freeatm::objectives {

struct DenoisingOptions {
  double caption_dropout = 0.1;               // of the captions become the empty one, for guidance
  std::optional<double> min_snr_gamma = 5.0;  // nothing: every timestep counts alike
  bool sample_latents = true;                 // draw from the autoencoder's Gaussians, or take their means
  bool train_text_encoder = true;
  double ema_decay = 0.999;
  void fields(config::Fields& f);
};

/// What the pictures are trained from.
struct DenoisingData {
  Latents latents;       // [N, channels, h, w], already times scaling_factor
  at::Tensor ids;        // [N, tokens] int64: the captions, padded
  at::Tensor empty_ids;  // [tokens]: the empty caption
};

/// How much each timestep's squared error counts, [num_train_timesteps]: min(SNR, gamma) of the picture (Hang et al.
/// 2023), said of the prediction: divided by SNR for epsilon, by SNR + 1 for v. SNR = a / (1 - a).
at::Tensor min_snr_weights(const diffusion::NoiseSchedule& noise, std::optional<double> gamma);

/// A latent diffusion's denoiser and text encoder, Ho et al. 2020 and Rombach et al. 2022:
///   z_t = sqrt(a_t) z_0 + sqrt(1 - a_t) eps,  t uniform,  L = mean w_t (prediction(z_t, t, caption) - target)^2
/// Losses: "denoising". Observed: "loss_t0", "loss_t200", ...: the unweighted error of a fifth of the timesteps.
class Denoising final : public training::Objective {
 public:
  Denoising(std::shared_ptr<models::UNet2DConditionModel> unet, std::shared_ptr<models::ClipTextModelImpl> text_encoder,
            DenoisingData data, const diffusion::NoiseSchedule& noise, const DenoisingOptions& options);

  /// "noise", "draw": [channels, h, w]; "timestep": int64; "drop": bool. The sample itself is not looked at: `losses`
  /// takes latents and captions by the batch's "index".
  data::View prepare(data::Sample&& sample, RandomStream& random, double progress) const override;
  training::Losses losses(const data::Batch& batch) override;

  /// For EmaHook.
  const training::Averages& averages() const { return averages_; }
  /// With the averages as weights: what is sampled and saved.
  const std::shared_ptr<models::UNet2DConditionModel>& ema_unet() const { return ema_unet_; }
  const std::shared_ptr<models::ClipTextModelImpl>& ema_text_encoder() const { return ema_text_encoder_; }

 private:
  at::Tensor target(const at::Tensor& latents, const at::Tensor& noise, const at::Tensor& signal_scale,
                    const at::Tensor& noise_scale) const;

  DenoisingOptions options_;
  diffusion::NoiseSchedule noise_;
  std::shared_ptr<models::UNet2DConditionModel> unet_, ema_unet_;
  std::shared_ptr<models::ClipTextModelImpl> text_encoder_, ema_text_encoder_;
  DenoisingData data_;
  at::Tensor alphas_cumprod_, weights_;  // [num_train_timesteps], fp64
  training::Averages averages_;
};

}  // namespace freeatm::objectives
