// SPDX-License-Identifier: Apache-2.0
// Captioned pictures in memory, and their latents: what a diffusion model is trained on.
#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include <ATen/core/Tensor.h>

#include "freeatm/core/files.h"
#include "freeatm/data/dataset.h"
#include "freeatm/models/autoencoder_kl.h"

namespace freeatm::objectives {

/// All pictures of a dataset, decoded once, with their captions; masks and labels are left out.
class PicturesInMemory final : public data::Dataset {
 public:
  ///   image_size: the pictures' shorter side becomes so long, and what the longer one has more is cut off evenly;
  ///     nothing: they must be squares of one size
  ///   limit: no more than the first so many
  /// Throws UserError(picture, "image_size", ...).
  PicturesInMemory(const data::Dataset& dataset, std::optional<int64_t> image_size, std::optional<int64_t> limit = {});

  int64_t size() const override { return pixels_.size(0); }
  data::Sample get(int64_t index, RandomStream& random) const override;

  const at::Tensor& pixels() const { return pixels_; }  // bytes [N, side, side, 3]
  int64_t side() const { return pixels_.size(1); }
  const std::vector<std::string>& captions() const { return captions_; }
  /// Of all pixels and captions.
  std::string digest() const;
  std::string key(int64_t index) const override { return keys_[index]; }

 private:
  at::Tensor pixels_;
  std::vector<std::string> keys_, captions_;
};

/// Throws UserError(where, "captions", ...) where a picture has none.
void require_captions(const PicturesInMemory& pictures, const std::string& where);

/// 8-bit pixels [B, H, W, 3] -> [B, 3, H, W] in [-1, 1], as an autoencoder wants them.
at::Tensor centered(const at::Tensor& pixels, at::ScalarType dtype = at::kFloat);

/// The Gaussians that an autoencoder makes of pictures; before scaling_factor.
struct Latents {
  at::Tensor mean, std;  // [N, channels, h, w]
};

/// In batches, with progress. The result is on the CPU.
Latents encode_latents(models::AutoencoderKL& vae, const at::Tensor& pixels, at::Device device);

/// The latents in `file` where it was written for the same `origin` (what the latents are a function of), or what
/// `encode_latents` makes, which is then written to `file`.
Latents cached_latents(const fs::path& file, const std::string& origin, models::AutoencoderKL& vae,
                       const at::Tensor& pixels, at::Device device);

/// 1 / the deviation of all numbers in the latents' means: Rombach et al. 2022, appendix G.
double measure_scaling_factor(const at::Tensor& means);

}  // namespace freeatm::objectives
