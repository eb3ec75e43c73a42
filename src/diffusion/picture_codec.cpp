// SPDX-License-Identifier: Apache-2.0
#include "picture_codec.h"

#include <algorithm>

#include <ATen/TensorOperators.h>
#include <ATen/ops/arange.h>
#include <ATen/ops/cat.h>

#include "freeatm/core/error.h"
#include "freeatm/core/log.h"
#include "freeatm/core/memory.h"

#include "finite.h"

namespace freeatm::diffusion {
namespace {

constexpr int64_t kUsualTile = 64;     // latents: diffusers' for Stable Diffusion, 512 pixels
constexpr int64_t kSmallestTile = 32;  // a latent's pixels depend on about as many around it, and tiles overlap by less

/// What decoding one picture takes beside the weights, in bytes: some seven times the finest grid with the channels
/// that come to it (measured at 256 x 256 with Stable Diffusion's autoencoder, fp32: 6.9 KB a pixel).
double decode_bytes(const Pipeline& pipeline, int64_t height, int64_t width) {
  const std::vector<int64_t>& channels = pipeline.vae->options().block_out_channels;
  const int64_t widest = channels[std::min<size_t>(1, channels.size() - 1)];
  return 7.0 * static_cast<double>(widest * height * width) * static_cast<double>(at::elementSize(pipeline.dtype));
}

std::optional<int64_t> tile_of(const Pipeline& pipeline, std::optional<int64_t> tile, int64_t height, int64_t width) {
  const int64_t factor = pipeline.vae->factor(), step = 4 * factor;
  if (tile) {
    if (*tile % step == 0 && *tile >= kSmallestTile * factor) return *tile / factor;
    throw UserError("", "sampler.vae_tile", "{} is not a multiple of {} from {} on: smaller tiles see too little",
                    *tile, step, kSmallestTile * factor);
  }
  const auto available = static_cast<double>(process_memory().available);
  const double wanted = decode_bytes(pipeline, height, width);
  if (!pipeline.device.is_cpu() || available == 0 || wanted < 0.5 * available) return {};
  log::warning("pictures of {} x {} are decoded in tiles of {} pixels: whole they would take {} of {}", height, width,
               kUsualTile * factor, bytes_text(wanted), bytes_text(available));
  return kUsualTile;
}

/// The autoencoder's work on a batch, on as many pictures at once as 512 x 512 pixels are: what it needs grows with
/// them and is more than the UNet's. Pictures do not see each other, so that only roundings differ.
///   scale: pixels along a side of a row's value
template <class Run>
at::Tensor in_slices(const at::Tensor& batch, int64_t scale, Run run) {
  constexpr int64_t kPixels = int64_t{512} * 512;
  const int64_t pixels = batch.size(2) * batch.size(3) * scale * scale, most = std::max<int64_t>(1, kPixels / pixels);
  if (batch.size(0) <= most) return run(batch);
  std::vector<at::Tensor> slices;
  for (const at::Tensor& slice : batch.split(most)) slices.push_back(run(slice));
  return at::cat(slices);
}

/// The first `extent` rows (2) or columns (3) of `tile` fade in over the last ones of the tile before it. In place.
void fade_in(const at::Tensor& before, const at::Tensor& tile, int64_t dim, int64_t extent) {
  extent = std::min({before.size(dim), tile.size(dim), extent});
  at::Tensor weight = at::arange(extent, tile.options()).div_(extent);
  if (dim == 2) weight = weight.unsqueeze(1);
  const at::Tensor begin = tile.narrow(dim, 0, extent);
  begin.copy_(before.narrow(dim, before.size(dim) - extent, extent) * (1 - weight) + begin * weight);
}

}  // namespace

at::Tensor decode_in_tiles(models::AutoencoderKL& vae, const at::Tensor& latents, int64_t tile) {
  const int64_t height = latents.size(2), width = latents.size(3), factor = vae.factor();
  const int64_t stride = tile / 4 * 3, faded = tile / 4 * factor;
  std::vector<at::Tensor> above, rows;  // the whole tiles of the row before; finished rows
  for (int64_t y = 0; y < height; y += stride) {
    std::vector<at::Tensor> tiles, finished;
    for (int64_t x = 0; x < width; x += stride) {
      const at::Tensor part = latents.narrow(2, y, std::min(tile, height - y)).narrow(3, x, std::min(tile, width - x));
      const at::Tensor decoded = vae.decode(part).to(at::kFloat);
      if (y > 0) fade_in(above[tiles.size()], decoded, 2, faded);
      if (x > 0) fade_in(tiles.back(), decoded, 3, faded);
      tiles.push_back(decoded);
      const int64_t kept = stride * factor;
      finished.push_back(
          decoded.narrow(2, 0, std::min(kept, decoded.size(2))).narrow(3, 0, std::min(kept, decoded.size(3))));
    }
    rows.push_back(at::cat(finished, 3));
    above = std::move(tiles);
  }
  return at::cat(rows, 2);
}

PictureCodec::PictureCodec(const Pipeline& pipeline, std::optional<int64_t> tile, int64_t height, int64_t width)
    : pipeline_(pipeline), tile_(tile_of(pipeline, tile, height, width)) {}

// From the file: weights that overflow in half precision are lost in the pipeline's.
models::AutoencoderKL& PictureCodec::full_precision_vae(const std::string& picture) {
  if (!full_precision_vae_) {
    const std::string folder = pipeline_.folder + "/vae";
    log::warning("{}: overflows in half precision at {}: such pictures go through it again in fp32 (said once)", folder,
                 picture);
    full_precision_vae_ = load_autoencoder(folder, pipeline_.device, at::kFloat);
  }
  return *full_precision_vae_;
}

at::Tensor PictureCodec::decode_by(models::AutoencoderKL& vae, const at::Tensor& latents) const {
  return in_slices(latents, vae.factor(), [&](const at::Tensor& slice) {
    const bool fits = !tile_ || std::max(slice.size(2), slice.size(3)) <= *tile_;
    return fits ? vae.decode(slice).to(at::kFloat) : decode_in_tiles(vae, slice, *tile_);
  });
}

template <class Run>
at::Tensor PictureCodec::finite(const at::Tensor& batch, const char* what, const std::vector<std::string>& names,
                                Run run) {
  at::Tensor out = run(*pipeline_.vae, batch.to(pipeline_.dtype));
  const at::Tensor bad = rows_not_finite(out);
  if (bad.numel() > 0 && pipeline_.dtype != at::kFloat) {
    models::AutoencoderKL& vae = full_precision_vae(names.at(static_cast<size_t>(bad[0].item<int64_t>())));
    out.index_copy_(0, bad, run(vae, batch.index_select(0, bad)));
  }
  require_finite(out, what, names, pipeline_, "vae");
  return out;
}

at::Tensor PictureCodec::decode(const at::Tensor& latents, const std::vector<std::string>& names) {
  return finite(latents / pipeline_.vae->options().scaling_factor, "pixels", names,
                [&](models::AutoencoderKL& vae, const at::Tensor& batch) { return decode_by(vae, batch); });
}

at::Tensor PictureCodec::encode(const at::Tensor& images, const std::vector<std::string>& names) {
  const at::Tensor pixels = images.to(pipeline_.device, at::kFloat).mul(2).sub_(1);
  const auto encode_by = [](models::AutoencoderKL& vae, const at::Tensor& batch) {
    return in_slices(batch, 1, [&](const at::Tensor& slice) { return vae.encode(slice).mean.to(at::kFloat); });
  };
  return finite(pixels, "latents", names, encode_by) * pipeline_.vae->options().scaling_factor;
}

}  // namespace freeatm::diffusion
