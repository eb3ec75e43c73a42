// SPDX-License-Identifier: Apache-2.0
// What a latent diffusion model is trained from: parts that stay as they are, and parts that learn.
#pragma once
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include <ATen/core/Tensor.h>

#include "freeatm/core/files.h"
#include "freeatm/data/dataset.h"
#include "freeatm/diffusion/ddim.h"
#include "freeatm/models/autoencoder_kl.h"
#include "freeatm/models/clip_text.h"
#include "freeatm/models/unet_2d_condition.h"
#include "freeatm/text/clip_tokenizer.h"

namespace freeatm::objectives {

/// What the UNet's training does not change.
struct FrozenParts {
  fs::path tokenizer_folder;
  std::shared_ptr<models::AutoencoderKL> vae;
  std::string vae_digest;
  int64_t sample_size = 0;  // of a given UNet
  diffusion::NoiseSchedule noise;
  std::string scheduler_config;
};

/// Of a diffusers folder that is gone on with.
FrozenParts frozen_parts(const fs::path& model, at::Device device);
/// Of the stages that come before the UNet's.
FrozenParts frozen_parts(const fs::path& tokenizer, const fs::path& vae, const diffusion::DdimOptions& scheduler,
                         at::Device device);

struct TrainedParts {
  std::shared_ptr<models::UNet2DConditionModel> unet;
  std::shared_ptr<models::ClipTextModelImpl> text_encoder;
};

/// Of a diffusers folder.
TrainedParts trained_parts(const fs::path& model, at::Device device);
/// New ones, with weights by the seed.
TrainedParts trained_parts(const models::UNetOptions& unet, const models::ClipTextConfig& text_encoder, uint64_t seed,
                           at::Device device);

/// The captions as the text encoder sees them, [N, tokens]. Warns of those that are too long.
at::Tensor caption_ids(const text::ClipTokenizer& tokenizer, const std::vector<std::string>& captions);

/// Which samples a step trains on: all that a Denoising needs of them is their index.
class Indices final : public data::Dataset {
 public:
  explicit Indices(int64_t size) : size_(size) {}
  int64_t size() const override { return size_; }
  data::Sample get(int64_t, RandomStream&) const override { return {}; }

 private:
  int64_t size_;
};

}  // namespace freeatm::objectives
