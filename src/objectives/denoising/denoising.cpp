// SPDX-License-Identifier: Apache-2.0
#include "freeatm/objectives/denoising/denoising.h"

#include <utility>

#include <ATen/ATen.h>

#include "freeatm/core/error.h"

#include "draw.h"

namespace freeatm::objectives {
namespace {

using at::Tensor;
using diffusion::Prediction;

constexpr int64_t kBands = 5;  // of timesteps, whose errors are logged apart

// The mean error of each band; NaN where the batch has no such timestep.
std::vector<training::Scalar> band_errors(const Tensor& errors, const Tensor& timesteps, int64_t num_train_timesteps) {
  const int64_t width = (num_train_timesteps + kBands - 1) / kBands;
  const Tensor bands = at::arange(kBands, timesteps.options()).unsqueeze(1);
  const Tensor holds = timesteps.div(width, "floor").eq(bands).to(errors.scalar_type());  // [bands, B]
  const Tensor counts = holds.sum(1), means = holds.mv(errors) / counts;
  std::vector<training::Scalar> named;
  for (int64_t band = 0; band < kBands; ++band)
    named.push_back({format("loss_t{}", band * width), means[band], counts[band]});
  return named;
}

// A second model of the same options, with the same weights, which takes no gradient.
template <class Model, class Options>
std::shared_ptr<Model> averaged_copy(const Model& model, const Options& options, training::Averages& averages) {
  auto copy = std::make_shared<Model>(options);
  averages.follow(model, *copy);
  copy->eval();
  return copy;
}

}  // namespace

void DenoisingOptions::fields(config::Fields& f) {
  f("caption_dropout", caption_dropout, "share of captions that become the empty one, for guidance",
    config::between(0, 1));
  f("min_snr_gamma", min_snr_gamma, "timesteps count as min(SNR, this); null: all alike", config::more_than(0));
  f("sample_latents", sample_latents, "draw from the autoencoder's Gaussians instead of taking their means");
  f("train_text_encoder", train_text_encoder, "false: the UNet alone is trained");
  f("ema_decay", ema_decay, "what the average of the weights keeps of itself at a step", config::between(0, 0.999999));
}

Tensor min_snr_weights(const diffusion::NoiseSchedule& noise, std::optional<double> gamma) {
  const auto alphas = noise.alphas_cumprod();
  const Tensor a = at::tensor(alphas, at::kDouble);
  if (!gamma) return at::ones_like(a);
  const Tensor snr = a / (1 - a), weights = snr.clamp_max(*gamma);
  switch (noise.prediction) {
    case Prediction::kEpsilon:
      return weights / snr;
    case Prediction::kVelocity:
      return weights / (snr + 1);
    case Prediction::kSample:
      return weights;
  }
  return {};
}

Denoising::Denoising(std::shared_ptr<models::UNet2DConditionModel> unet,
                     std::shared_ptr<models::ClipTextModelImpl> text_encoder, DenoisingData data,
                     const diffusion::NoiseSchedule& noise, const DenoisingOptions& options)
    : options_(options),
      noise_(noise),
      unet_(register_module("unet", std::move(unet))),
      text_encoder_(register_module("text_encoder", std::move(text_encoder))),
      data_(std::move(data)),
      alphas_cumprod_(at::tensor(noise.alphas_cumprod(), at::kDouble)),
      weights_(min_snr_weights(noise, options.min_snr_gamma)) {
  for (Tensor& parameter : text_encoder_->parameters()) parameter.requires_grad_(options_.train_text_encoder);
  ema_unet_ = register_module("ema_unet", averaged_copy(*unet_, unet_->options(), averages_));
  ema_text_encoder_ =
      register_module("ema_text_encoder", averaged_copy(*text_encoder_, text_encoder_->config(), averages_));
  const at::Device device = unet_->parameters().front().device();
  for (Tensor* tensor :
       {&data_.latents.mean, &data_.latents.std, &data_.ids, &data_.empty_ids, &alphas_cumprod_, &weights_}) {
    *tensor = tensor->to(device);
  }
}

data::View Denoising::prepare(data::Sample&&, RandomStream& random, double /*progress*/) const {
  const auto shape = data_.latents.mean.sizes().slice(1);
  RandomStream step = random.fork("step");
  data::View view{{"noise", draw_normal(shape, random.fork("noise"))},
                  {"timestep", at::scalar_tensor(step.integer(noise_.num_train_timesteps), at::kLong)},
                  {"drop", at::scalar_tensor(step.bernoulli(options_.caption_dropout), at::kBool)}};
  if (options_.sample_latents) view["draw"] = draw_normal(shape, random.fork("draw"));
  return view;
}

Tensor Denoising::target(const Tensor& latents, const Tensor& noise, const Tensor& signal_scale,
                         const Tensor& noise_scale) const {
  switch (noise_.prediction) {
    case Prediction::kEpsilon:
      return noise;
    case Prediction::kVelocity:
      return signal_scale * noise - noise_scale * latents;
    case Prediction::kSample:
      return latents;
  }
  return {};
}

training::Losses Denoising::losses(const data::Batch& batch) {
  const auto dtype = averages_.trained().front().scalar_type();
  const Tensor &index = batch["index"], &timesteps = batch["timestep"];
  const Tensor noise = batch["noise"].to(dtype);
  Tensor latents = data_.latents.mean.index_select(0, index).to(dtype);
  if (options_.sample_latents) {
    latents = latents.addcmul(data_.latents.std.index_select(0, index).to(dtype), batch["draw"].to(dtype));
  }
  const Tensor ids = at::where(batch["drop"].unsqueeze(1), data_.empty_ids, data_.ids.index_select(0, index));

  const Tensor a = alphas_cumprod_.index_select(0, timesteps).view({-1, 1, 1, 1});
  const Tensor signal_scale = a.sqrt().to(dtype), noise_scale = (1 - a).sqrt().to(dtype);
  const Tensor noisy = signal_scale * latents + noise_scale * noise;

  const models::UNetContext context = unet_->prepare_context(text_encoder_->forward(ids));
  const Tensor prediction = unet_->forward(noisy, timesteps, context);
  const Tensor errors =
      (prediction - target(latents, noise, signal_scale, noise_scale)).square().mean({1, 2, 3});  // [B]
  const Tensor weights = weights_.index_select(0, timesteps).to(dtype);
  return {.terms = {{"denoising", (weights * errors).mean()}},
          .observed = band_errors(errors.detach(), timesteps, noise_.num_train_timesteps)};
}

}  // namespace freeatm::objectives
