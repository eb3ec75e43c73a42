// SPDX-License-Identifier: Apache-2.0
#include "freeatm/diffusion/sampler.h"

#include <ATen/CPUGeneratorImpl.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/full.h>
#include <ATen/ops/randn.h>
#include <ATen/ops/tensor.h>

#include "freeatm/core/error.h"

namespace freeatm::diffusion {
namespace {

at::Tensor one_timestep(double timestep, const at::Tensor& like) {
  return at::full({1}, timestep, like.options().dtype(at::kFloat));
}

/// Noise of pictures, one generator each: a picture's noise does not depend on its batch.
class SeededNoise {
 public:
  explicit SeededNoise(std::span<const uint32_t> seeds) {
    for (const uint32_t seed : seeds) generators_.push_back(at::make_generator<at::CPUGeneratorImpl>(seed));
  }

  /// The next [B, channels, h, w], fp32, of which each picture's is what torch.randn([1, channels, h, w]) draws next.
  at::Tensor next(at::IntArrayRef shape, at::Device device) {
    std::vector<at::Tensor> pictures;
    for (at::Generator& generator : generators_)
      pictures.push_back(at::randn(shape, generator, at::TensorOptions(at::kFloat)));
    return at::stack(pictures).to(device);
  }

 private:
  std::vector<at::Generator> generators_;
};

}  // namespace

void SamplerOptions::fields(config::Fields& f) {
  f("steps", steps, "denoising steps", config::between(1, 1000));
  f("guidance_scale", guidance_scale, "classifier-free guidance; 1: none", config::at_least(1));
  f("negative_prompt", negative_prompt, "what guidance moves away from");
  f("eta", eta, "0: deterministic, 1: DDPM's variance", config::between(0, 1));
}

Sampler::Sampler(const Pipeline& pipeline, const SamplerOptions& options) : pipeline_(pipeline), options_(options) {
  pipeline_.scheduler->start(options_.steps, options_.eta);  // refuses now what it would refuse at the first picture
  negative_hidden_ = encode({{options_.negative_prompt}}).hidden;
}

PromptBatch Sampler::encode(std::span<const std::string> captions) const {
  const c10::InferenceMode inference;
  PromptBatch prompts;
  std::vector<at::Tensor> ids;
  for (const std::string& caption : captions) {
    prompts.encodings.push_back(pipeline_.tokenizer.encode(caption));
    ids.push_back(at::tensor(pipeline_.tokenizer.padded_ids(prompts.encodings.back()), at::kLong));
  }
  prompts.hidden = pipeline_.text_encoder->forward(at::stack(ids).to(pipeline_.device));
  return prompts;
}

at::Tensor Sampler::sample(const PromptBatch& prompts, std::span<const uint32_t> seeds,
                           models::AttentionProbe* probe) const {
  const c10::InferenceMode inference;
  const int64_t batch = prompts.size();
  FREEATM_CHECK(batch == static_cast<int64_t>(seeds.size()), "{} captions, {} seeds", batch, seeds.size());
  const bool guided = options_.guidance_scale > 1;
  // Keys and values of the captions do not change from step to step.
  const models::UNetContext context = pipeline_.unet->prepare_context(
      guided ? at::cat({negative_hidden_.expand_as(prompts.hidden), prompts.hidden}) : prompts.hidden);

  const auto trajectory = pipeline_.scheduler->start(options_.steps, options_.eta);
  const models::UNetOptions& unet = pipeline_.unet->options();
  const std::vector<int64_t> shape = {unet.in_channels, unet.sample_size, unet.sample_size};
  SeededNoise noise(seeds);
  // Latents stay in fp32 whatever the models compute in: the small steps of the end would vanish in 8 bits of mantissa.
  at::Tensor latents = noise.next(shape, pipeline_.device).mul_(trajectory->initial_sigma());

  for (size_t i = 0; i < trajectory->timesteps().size(); ++i) {
    const double timestep = trajectory->timesteps()[i];
    if (probe) probe->begin_step(static_cast<int64_t>(i), timestep);
    const at::Tensor input = trajectory->scale_input(i, latents).to(pipeline_.dtype);
    at::Tensor output =
        pipeline_.unet->forward(input, one_timestep(timestep, input), context, probe, guided ? batch : 0, batch)
            .to(at::kFloat);
    if (guided) output = at::lerp(output.narrow(0, 0, batch), output.narrow(0, batch, batch), options_.guidance_scale);
    latents = trajectory->step(i, output, latents,
                               trajectory->is_stochastic() ? noise.next(shape, pipeline_.device) : at::Tensor());
  }
  const at::Tensor decoded =
      pipeline_.vae->decode((latents / pipeline_.vae->options().scaling_factor).to(pipeline_.dtype));
  return decoded.to(at::kFloat).mul_(0.5).add_(0.5).clamp_(0, 1);
}

void Sampler::reobserve(const at::Tensor& images, const PromptBatch& prompts, std::span<const uint32_t> seeds,
                        std::span<const int64_t> timesteps, models::AttentionProbe& probe) const {
  const c10::InferenceMode inference;
  FREEATM_CHECK(images.size(0) == prompts.size() && images.size(0) == static_cast<int64_t>(seeds.size()),
                "{} pictures, {} captions, {} seeds", images.size(0), prompts.size(), seeds.size());
  const at::Tensor pixels = images.to(pipeline_.device, pipeline_.dtype).mul(2).sub_(1);
  const at::Tensor latents =
      pipeline_.vae->encode(pixels).mean.to(at::kFloat) * pipeline_.vae->options().scaling_factor;
  const at::Tensor noise = SeededNoise(seeds).next(latents.sizes().slice(1), pipeline_.device);
  const models::UNetContext context = pipeline_.unet->prepare_context(prompts.hidden);
  for (size_t i = 0; i < timesteps.size(); ++i) {
    probe.begin_step(static_cast<int64_t>(i), static_cast<double>(timesteps[i]));
    const at::Tensor noisy = pipeline_.scheduler->add_noise(latents, noise, timesteps[i]).to(pipeline_.dtype);
    pipeline_.unet->forward(noisy, one_timestep(static_cast<double>(timesteps[i]), noisy), context, &probe);
  }
}

}  // namespace freeatm::diffusion
