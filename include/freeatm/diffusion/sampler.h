// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include <ATen/core/Tensor.h>

#include "freeatm/config/fields.h"
#include "freeatm/diffusion/pipeline.h"
#include "freeatm/models/attention.h"
#include "freeatm/text/tokenizer.h"

namespace freeatm::diffusion {

struct SamplerOptions {
  int64_t steps = 25;
  double guidance_scale = 4.0;
  std::string negative_prompt;
  double eta = 0.0;
  void fields(config::Fields& f);
};

/// Captions as the model sees them.
struct PromptBatch {
  std::vector<text::Encoding> encodings;  // [B]: the tokens between start and end
  at::Tensor hidden;                      // [B, model_max_length, width]: the text encoder's last hidden state
  int64_t size() const { return static_cast<int64_t>(encodings.size()); }
};

/// Draws pictures, and looks again at pictures that exist. The pipeline must outlive it.
/// A picture is a function of its caption and seed; batches of another size change it by rounding only.
class Sampler {
 public:
  Sampler(const Pipeline& pipeline, const SamplerOptions& options);

  PromptBatch encode(std::span<const std::string> captions) const;

  /// Classifier-free guidance, Ho & Salimans 2022: uncond + scale * (cond - uncond); with guidance_scale 1 the
  /// conditional half alone runs.
  ///   seeds: [B]; seed s starts from torch.randn([1, 4, h, w]) of a CPU generator seeded with s, whatever the device
  ///   probe: sees the conditional half
  /// Returns [B, 3, H, W] in [0, 1], fp32, on the pipeline's device.
  at::Tensor sample(const PromptBatch& prompts, std::span<const uint32_t> seeds,
                    models::AttentionProbe* probe = nullptr) const;

  /// Existing pictures: encoded, noised to each of the timesteps (always the seed's noise), one conditional pass each.
  ///   images: [B, 3, H, W] in [0, 1], sides divisible by the autoencoder's factor; begin_step gets the index into
  ///   `timesteps`
  void reobserve(const at::Tensor& images, const PromptBatch& prompts, std::span<const uint32_t> seeds,
                 std::span<const int64_t> timesteps, models::AttentionProbe& probe) const;

 private:
  const Pipeline& pipeline_;
  SamplerOptions options_;
  at::Tensor negative_hidden_;  // [1, model_max_length, width]
};

}  // namespace freeatm::diffusion
