// SPDX-License-Identifier: Apache-2.0
#include "freeatm/objectives/denoising/vae.h"

#include <algorithm>
#include <utility>
#include <vector>

#include <ATen/ATen.h>

#include "freeatm/core/error.h"
#include "freeatm/data/pixels.h"
#include "freeatm/objectives/denoising/data.h"
#include "freeatm/vision/transforms.h"

#include "draw.h"

namespace freeatm::objectives {
namespace {

using at::Tensor;

constexpr int64_t kPsnrBatch = 64;

vision::Image random_crop(const vision::Image& image, int side, RandomStream& random) {
  const auto x = random.integer(image.width - side + 1), y = random.integer(image.height - side + 1);
  return vision::crop(image, {double(x), double(y), double(side), double(side)});
}

// The mean over the batch's grid cells of the sum over channels.
Tensor kl_from_standard_normal(const models::AutoencoderKL::Latents& latents) {
  return 0.5 * (latents.mean.square() + latents.logvar.exp() - 1 - latents.logvar).sum(1).mean();
}

Tensor differences(const Tensor& error, int64_t dimension) {
  const int64_t size = error.size(dimension);
  return error.narrow(dimension, 1, size - 1) - error.narrow(dimension, 0, size - 1);
}

// [B, 3, H, W], what comes back, within [-1, 1]
Tensor encode_and_decode(models::AutoencoderKL& vae, const Tensor& x) {
  return vae.decode(vae.encode(x).mean).clamp_(-1, 1);
}

}  // namespace

void VaeOptions::fields(config::Fields& f) {
  f("crop", crop, "side of what a step sees of a picture, pixels", config::at_least(8));
  f("flip_probability", flip_probability, "how often it is mirrored", config::between(0, 1));
  f("l1", l1, "weight of the absolute error", config::at_least(0));
  f("gradient", gradient, "weight of the error of neighbours' differences", config::at_least(0));
  f("kl", kl, "weight of the latents' divergence from the standard normal, nats a cell", config::at_least(0));
}

Vae::Vae(std::shared_ptr<models::AutoencoderKL> vae, const VaeOptions& options)
    : options_(options), vae_(register_module("vae", std::move(vae))) {
  if (options_.crop % vae_->factor() != 0) {
    throw UserError("", "vae.crop", "{} is no multiple of {}, the pixels of a latent", options_.crop, vae_->factor());
  }
}

data::View Vae::prepare(data::Sample&& sample, RandomStream& random, double /*progress*/) const {
  RandomStream place = random.fork("place");
  vision::Image crop = random_crop(sample.image, static_cast<int>(options_.crop), place);
  if (place.bernoulli(options_.flip_probability)) vision::horizontal_flip(crop);
  const int64_t cells = options_.crop / vae_->factor();
  return {{"pixels", data::pixels(crop)},
          {"noise", draw_normal({vae_->options().latent_channels, cells, cells}, random.fork("noise"))}};
}

training::Losses Vae::losses(const data::Batch& batch) {
  const auto dtype = vae_->parameters().front().scalar_type();
  const Tensor x = centered(batch["pixels"], dtype);
  const auto latents = vae_->encode(x);
  const Tensor draw = latents.mean + (0.5 * latents.logvar).exp() * batch["noise"].to(dtype);
  const Tensor error = vae_->decode(draw) - x;
  const Tensor gradient = differences(error, 3).abs().mean() + differences(error, 2).abs().mean();
  return {.terms = {{"squared", error.square().mean()},
                    {"l1", options_.l1 * error.abs().mean()},
                    {"gradient", options_.gradient * gradient},
                    {"kl", options_.kl * kl_from_standard_normal(latents)}},
          .observed = {}};
}

double reconstruction_psnr(models::AutoencoderKL& vae, const Tensor& pixels, at::Device device) {
  const at::NoGradGuard no_grad;
  std::vector<Tensor> ratios;
  for (const Tensor& batch : pixels.split(kPsnrBatch)) {
    const Tensor x = centered(batch.to(device));
    const Tensor error = (encode_and_decode(vae, x) - x).div_(2);  // the peak becomes 1
    ratios.push_back(-10 * error.square().mean({1, 2, 3}).log10());
  }
  return at::cat(ratios).mean().item<double>();
}

Tensor reconstruct(models::AutoencoderKL& vae, const Tensor& pixels, at::Device device) {
  const at::NoGradGuard no_grad;
  const Tensor y = encode_and_decode(vae, centered(pixels.to(device)));
  return y.add(1).mul_(127.5).round_().to(at::kByte).permute({0, 2, 3, 1}).contiguous().cpu();
}

}  // namespace freeatm::objectives
