// SPDX-License-Identifier: Apache-2.0
#include "freeatm/objectives/denoising/data.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include <ATen/ATen.h>

#include "freeatm/core/error.h"
#include "freeatm/core/progress.h"
#include "freeatm/core/signals.h"
#include "freeatm/data/pixels.h"
#include "freeatm/vision/transforms.h"
#include "freeatm/weights/safetensors.h"

namespace freeatm::objectives {
namespace {

constexpr int64_t kEncodeBatch = 64;

}  // namespace

PicturesInMemory::PicturesInMemory(const data::Dataset& dataset, std::optional<int64_t> image_size,
                                   std::optional<int64_t> limit) {
  const int64_t count = std::min(dataset.size(), limit.value_or(dataset.size()));
  RandomStream unused(0, "pictures");
  Progress progress("reading", count, "pictures");
  for (int64_t i = 0; i < count; ++i) {
    stop_if_signalled();
    data::Sample sample = dataset.get(i, unused);
    const int height = sample.image.height, width = sample.image.width;
    if (!pixels_.defined()) {
      const int64_t side = image_size.value_or(height);
      pixels_ = at::empty({count, side, side, 3}, at::kByte);
    }
    if (!image_size && (height != side() || width != side())) {
      throw UserError(sample.key, "image_size",
                      "the picture is {}x{}, not {}x{} as it should be: image_size={} cuts all "
                      "to one size",
                      width, height, side(), side(), side());
    }
    const vision::Image image = vision::center_square(sample.image, static_cast<int>(side()));
    std::memcpy(pixels_[i].data_ptr(), image.pixels.data(), image.pixels.size());
    keys_.push_back(std::move(sample.key));
    captions_.push_back(sample.caption());
    progress.advance();
  }
}

data::Sample PicturesInMemory::get(int64_t index, RandomStream&) const {
  data::Sample sample;
  sample.key = keys_[index];
  sample.id = index;
  sample.image = vision::Image(static_cast<int>(side()), static_cast<int>(side()));
  std::memcpy(sample.image.pixels.data(), pixels_[index].data_ptr(), sample.image.pixels.size());
  sample.captions = {{.text = captions_[index]}};
  return sample;
}

std::string PicturesInMemory::digest() const {
  uint64_t hash = stable_hash({static_cast<const char*>(pixels_.data_ptr()), static_cast<size_t>(pixels_.numel())});
  for (const std::string& caption : captions_) hash = stable_hash(caption, hash);
  return hash_text(hash);
}

void require_captions(const PicturesInMemory& pictures, const std::string& where) {
  for (int64_t i = 0; i < pictures.size(); ++i) {
    const std::string& caption = pictures.captions()[i];
    if (caption.find_first_not_of(" \t\r\n") == std::string::npos)
      throw UserError(where, "captions", "the picture {} has no caption", pictures.key(i));
  }
}

at::Tensor centered(const at::Tensor& pixels, at::ScalarType dtype) {
  return pixels.permute({0, 3, 1, 2})
      .to(dtype, /*non_blocking=*/false, /*copy=*/true, at::MemoryFormat::Contiguous)
      .div_(127.5)
      .sub_(1);
}

Latents encode_latents(models::AutoencoderKL& vae, const at::Tensor& pixels, at::Device device) {
  const at::NoGradGuard no_grad;
  std::vector<at::Tensor> means, stds;
  Progress progress("encoding", pixels.size(0), "pictures");
  for (const at::Tensor& batch : pixels.split(kEncodeBatch)) {
    stop_if_signalled();
    const auto latents = vae.encode(centered(batch.to(device)));
    means.push_back(latents.mean.cpu());
    stds.push_back((0.5 * latents.logvar).exp_().cpu());
    progress.advance(batch.size(0));
  }
  return {at::cat(means), at::cat(stds)};
}

Latents cached_latents(const fs::path& file, const std::string& origin, models::AutoencoderKL& vae,
                       const at::Tensor& pixels, at::Device device) {
  if (fs::exists(file)) {
    auto [tensors, metadata] = weights::load_safetensors(file.string());
    if (metadata["origin"] == origin) return {tensors.at("mean"), tensors.at("std")};
  }
  Latents latents = encode_latents(vae, pixels, device);
  weights::save_safetensors(file.string(), {{"mean", latents.mean}, {"std", latents.std}}, {{"origin", origin}});
  return latents;
}

double measure_scaling_factor(const at::Tensor& means) { return 1 / means.to(at::kDouble).std().item<double>(); }

}  // namespace freeatm::objectives
