// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include <ATen/core/Tensor.h>

#include "freeatm/config/fields.h"
#include "freeatm/diffusion/pipeline.h"
#include "freeatm/diffusion/scheduler.h"
#include "freeatm/models/attention.h"
#include "freeatm/text/clip_tokenizer.h"

namespace freeatm::diffusion {

class PictureCodec;

struct SamplerOptions {
  std::optional<std::string> scheduler;  // none: the folder's own
  int64_t steps = 25;
  double guidance_scale = 4.0;
  double guidance_rescale = 0.0;
  std::vector<int64_t> guidance_interval;           // [lowest, highest] timestep with guidance; empty: all
  std::optional<std::string> negative_prompt = "";  // none: the empty one
  std::optional<int64_t> height, width;             // of the pictures; none: what the model was trained on
  std::optional<int64_t> vae_tile;                  // pixels along a side; none: whole pictures where memory allows
  double eta = 0.0;
  int64_t cache_interval = 1, cache_depth = 1;  // whole passes of the UNet, and what the others compute: UNetCache
  int64_t timestep_min = 0;                     // no key: calls at smaller timesteps are left out (harvest.only_masks)
  void fields(config::Fields& f);
};

/// Captions as the model sees them.
struct PromptBatch {
  std::vector<text::Encoding> encodings;  // [B]: the tokens between start and end
  at::Tensor hidden;                      // [B, model_max_length, width]: the text encoder's last hidden state
  std::vector<std::string> names;         // [B]: what messages call the pictures
  int64_t size() const { return static_cast<int64_t>(encodings.size()); }
  std::vector<int64_t> token_counts() const;  // [B]: of each caption, without start and end
};

/// A pass of the UNet on the way to a picture.
struct UNetCall {
  double timestep;
  bool is_guided;  // both halves run
  bool is_whole;   // all levels do
};

struct LatentSize {
  int64_t height, width;
};

/// Draws pictures, and looks again at pictures that exist. The pipeline must outlive it.
/// A picture is a function of its caption and seed; batches of another size change it by rounding only. It equals that
/// of diffusers' StableDiffusionPipeline with generator=torch.Generator('cpu').manual_seed(seed).
class Sampler {
 public:
  /// Throws UserError for options that do not go with the pipeline.
  Sampler(const Pipeline& pipeline, const SamplerOptions& options);
  ~Sampler();

  ///   names: of the pictures, for messages; empty: their captions
  /// Throws UserError where a caption's encoding is not finite.
  PromptBatch encode(std::span<const std::string> captions, std::vector<std::string> names = {}) const;

  /// Classifier-free guidance, Ho & Salimans 2022: uncond + scale * (cond - uncond), in one batch; where the scale is 1
  /// or the timestep lies outside of guidance_interval (Kynkäänniemi et al. 2024) the conditional half alone runs.
  ///   seeds: [B]; seed s starts from torch.randn([1, 4, h, w]) of a CPU generator seeded with s, whatever the device
  ///   probe: sees the conditional half
  /// Returns [B, 3, H, W] in [0, 1], fp32, on the pipeline's device. What overflows the autoencoder in half precision
  /// is decoded again in fp32, which is said. Throws UserError with the first picture whose latents or pixels are not
  /// finite, std::runtime_error, one line that names the batch's size, where memory runs out.
  at::Tensor sample(const PromptBatch& prompts, std::span<const uint32_t> seeds,
                    models::AttentionProbe* probe = nullptr) const;

  /// The halves of `sample`: [B, channels, h, w] in fp32, and what they show.
  at::Tensor latents(const PromptBatch& prompts, std::span<const uint32_t> seeds, models::AttentionProbe* probe) const;
  at::Tensor pictures(const at::Tensor& latents, const PromptBatch& prompts) const;

  /// What `latents` will do. The deep levels of a UNet are computed at the first call, cache_interval calls later, and
  /// wherever guidance begins or ends; in between their features are those of the last time (models::UNetCache).
  std::vector<UNetCall> calls() const;
  /// Of the last call, where options.timestep_min cuts the others off: the picture is what that call foresees.
  std::optional<double> cut_at() const;

  /// Existing pictures: encoded, noised to each of the timesteps (always the seed's noise), one conditional pass each.
  ///   images: [B, 3, H, W] in [0, 1], sides divisible by the autoencoder's factor; begin_step gets the index into
  ///   `timesteps`
  /// Throws UserError for a timestep that was not trained, the rest as `sample` does.
  void reobserve(const at::Tensor& images, const PromptBatch& prompts, std::span<const uint32_t> seeds,
                 std::span<const int64_t> timesteps, models::AttentionProbe& probe) const;

  /// Throws UserError where [B, ...] values that the UNet gave are not finite, with the picture and what to try.
  void require_finite_of_unet(const at::Tensor& values, const char* what, const std::vector<std::string>& names) const;

  /// Of what `sample` draws.
  LatentSize latent_size() const { return latent_size_; }

 private:
  std::vector<UNetCall> calls_of(const Trajectory& trajectory) const;
  bool is_guided(double timestep) const;
  models::UNetContext guided_context(models::UNetContext& prompts) const;
  at::Tensor guide(const at::Tensor& halves) const;

  const Pipeline& pipeline_;
  SamplerOptions options_;
  std::unique_ptr<Scheduler> scheduler_;
  LatentSize latent_size_;
  std::unique_ptr<PictureCodec> codec_;
  models::UNetContext negative_;  // of the negative prompt, one row; empty without guidance
};

}  // namespace freeatm::diffusion
