// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "freeatm/diffusion/pipeline.h"

namespace freeatm::diffusion {

/// [B, channels, h, w], divided by scaling_factor, -> [B, 3, H, W], in overlapping tiles that fade into each other over
/// a quarter of their side, as diffusers' AutoencoderKL.tiled_decode (0.42) does: the memory is a tile's. Each tile has
/// norms of its own, so that tiles differ from the whole in brightness, not only at their seams.
///   tile: latents along a side, divisible by 4
at::Tensor decode_in_tiles(models::AutoencoderKL& vae, const at::Tensor& latents, int64_t tile);

/// Pictures to latents and back by a pipeline's autoencoder. What overflows it in half precision goes through it again
/// in fp32, which is said. The pipeline must outlive it.
class PictureCodec {
 public:
  ///   tile: pixels along a side; none: whole pictures, unless one of this size would take more than half of the memory
  ///   that there is; then tiles of 64 latents, and that is said
  /// Throws UserError for tiles that do not go with the autoencoder.
  PictureCodec(const Pipeline& pipeline, std::optional<int64_t> tile, int64_t height, int64_t width);

  /// latents: [B, channels, h, w]. Returns [B, 3, H, W], fp32, about [-1, 1]. Throws UserError with the first picture
  /// whose pixels are not finite.
  at::Tensor decode(const at::Tensor& latents, const std::vector<std::string>& names);
  /// images: [B, 3, H, W] in [0, 1]. Returns [B, channels, h, w], fp32. Throws UserError as decode does.
  at::Tensor encode(const at::Tensor& images, const std::vector<std::string>& names);

 private:
  /// run(vae, batch) in the pipeline's type, and in fp32 for rows that are not finite in it.
  template <class Run>
  at::Tensor finite(const at::Tensor& batch, const char* what, const std::vector<std::string>& names, Run run);
  at::Tensor decode_by(models::AutoencoderKL& vae, const at::Tensor& latents) const;
  models::AutoencoderKL& full_precision_vae(const std::string& picture);

  const Pipeline& pipeline_;
  std::optional<int64_t> tile_;                                // latents along a side
  std::shared_ptr<models::AutoencoderKL> full_precision_vae_;  // once half precision was not enough
};

}  // namespace freeatm::diffusion
