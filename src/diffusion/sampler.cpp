// SPDX-License-Identifier: Apache-2.0
#include "freeatm/diffusion/sampler.h"

#include <algorithm>
#include <map>
#include <stdexcept>

#include <ATen/TensorOperators.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/full.h>
#include <ATen/ops/lerp.h>
#include <ATen/ops/stack.h>
#include <ATen/ops/tensor.h>

#include "freeatm/core/error.h"
#include "freeatm/runtime/device.h"
#include "freeatm/weights/load.h"

#include "finite.h"
#include "picture_codec.h"
#include "seeded_noise.h"

namespace freeatm::diffusion {
namespace {

at::Tensor one_timestep(double timestep, const at::Tensor& like) {
  return at::full({1}, timestep, like.options().dtype(at::kFloat));
}

int64_t latent_side(const std::optional<int64_t>& side, const Pipeline& pipeline, const char* key) {
  const int64_t factor = pipeline.vae->factor();
  if (!side) return pipeline.unet->options().sample_size;
  if (*side % factor == 0) return *side / factor;
  throw UserError("", key, "{} is not divisible by {}, the autoencoder's pixels per latent", *side, factor);
}

// A tokenizer may hold added tokens that its text encoder has never seen.
at::Tensor known_ids(const Pipeline& pipeline, const text::Encoding& encoding) {
  const std::vector<int64_t> ids = pipeline.tokenizer.padded_ids(encoding);
  const int64_t known = pipeline.text_encoder->config().vocab_size, largest = *std::ranges::max_element(ids);
  if (largest >= known)
    throw UserError(pipeline.folder + "/tokenizer", "", "gives a token the id {}; the text encoder knows {} tokens",
                    largest, known);
  return at::tensor(ids, at::kLong);
}

// Lin et al. 2023, section 3.4: guidance raises the deviation, this brings it back by `rescale`.
at::Tensor rescaled(const at::Tensor& guided, const at::Tensor& conditional, double rescale) {
  const auto deviation = [](const at::Tensor& x) { return x.std({1, 2, 3}, /*unbiased=*/true, /*keepdim=*/true); };
  return at::lerp(guided, guided * (deviation(conditional) / deviation(guided)), rescale);
}

/// run(), with running out of memory said in one line.
template <class Run>
auto naming_the_batch(int64_t batch, int64_t height, int64_t width, Run run) {
  try {
    return run();
  } catch (const std::exception& error) {
    if (!runtime::is_out_of_memory(error)) throw;
    const std::string less = batch > 1 ? format("batch_size={} needs about half as much", batch / 2)
                                       : "a smaller sampler.height and sampler.width need less";
    throw std::runtime_error(
        format("out of memory with {} pictures of {} x {} at once: {}", batch, height, width, less));
  }
}

}  // namespace

Sampler::~Sampler() = default;

std::vector<int64_t> PromptBatch::token_counts() const {
  std::vector<int64_t> counts;
  for (const auto& encoding : encodings) counts.push_back(std::ssize(encoding.ids));
  return counts;
}

void SamplerOptions::fields(config::Fields& f) {
  f("scheduler", scheduler, "of the folder's noise schedule; null: the folder's own",
    config::any_of(scheduler_names()));
  f("steps", steps, "denoising steps", config::between(1, 1000));
  f("guidance_scale", guidance_scale, "classifier-free guidance; 1: none", config::between(1, 1e6));
  f("guidance_rescale", guidance_rescale, "share of the deviation that guidance adds and this takes back",
    config::between(0, 1));
  f("guidance_interval", guidance_interval, "[lowest, highest] timestep with guidance; []: all", config::at_least(0));
  f("negative_prompt", negative_prompt, "what guidance moves away from; null: the empty prompt");
  f("height", height, "of the pictures; null: what the model was trained on", config::at_least(1));
  f("width", width, "of the pictures; null: what the model was trained on", config::at_least(1));
  f("vae_tile", vae_tile, "pixels along a side of tiles that pictures are decoded in; null: whole where memory allows",
    config::at_least(1));
  f("eta", eta, "ddim only; 0: deterministic, 1: DDPM's variance", config::between(0, 1));
  f("cache_interval", cache_interval, "the deep levels of the UNet are computed each so many steps; 1: at every step",
    config::at_least(1));
  f("cache_depth", cache_depth, "levels of the UNet, from the finest, that every step computes", config::at_least(1));
  const bool is_interval =
      guidance_interval.empty() || (guidance_interval.size() == 2 && guidance_interval[0] <= guidance_interval[1]);
  if (f.reading() && !is_interval) f.refuse("guidance_interval", "is not [lowest, highest] or []");
}

Sampler::Sampler(const Pipeline& pipeline, const SamplerOptions& options)
    : pipeline_(pipeline),
      options_(options),
      scheduler_(make_scheduler(pipeline.folder + "/scheduler", options.scheduler, options.eta)),
      latent_size_{latent_side(options.height, pipeline, "sampler.height"),
                   latent_side(options.width, pipeline, "sampler.width")},
      codec_(std::make_unique<PictureCodec>(pipeline, options.vae_tile, latent_size_.height * pipeline.vae->factor(),
                                            latent_size_.width * pipeline.vae->factor())) {
  scheduler_->start(options_.steps);  // refuses now what it would refuse at the first picture
  const int64_t levels = std::ssize(pipeline.unet->options().block_out_channels);
  if (options_.cache_interval > 1 && options_.cache_depth >= levels) {
    throw UserError("", "sampler.cache_depth", "{} leaves no level to cache: this model has {}", options_.cache_depth,
                    levels);
  }
  if (options_.guidance_scale == 1) return;
  const c10::InferenceMode inference;
  negative_ = pipeline_.unet->prepare_context(
      encode({{options_.negative_prompt.value_or("")}}, {"the negative prompt"}).hidden);
}

// A caption that stands there several times is encoded once.
PromptBatch Sampler::encode(std::span<const std::string> captions, std::vector<std::string> names) const {
  const c10::InferenceMode inference;
  PromptBatch prompts;
  prompts.names = std::move(names);
  if (prompts.names.empty()) {
    for (const std::string& caption : captions) prompts.names.push_back("'" + caption + "'");
  }
  std::map<std::string_view, int64_t> row_of;
  std::vector<at::Tensor> ids;
  std::vector<int64_t> rows;
  for (const std::string& caption : captions) {
    prompts.encodings.push_back(pipeline_.tokenizer.encode(caption));
    const auto [entry, is_new] = row_of.try_emplace(caption, static_cast<int64_t>(ids.size()));
    if (is_new) ids.push_back(known_ids(pipeline_, prompts.encodings.back()));
    rows.push_back(entry->second);
  }
  const at::Tensor hidden = pipeline_.text_encoder->forward(at::stack(ids).to(pipeline_.device));
  prompts.hidden = hidden.index_select(0, at::tensor(rows, at::kLong).to(pipeline_.device)).to(pipeline_.dtype);
  weights::release_mapped_weights(*pipeline_.text_encoder);
  require_finite(prompts.hidden, "caption's values", prompts.names, pipeline_, "text_encoder");
  return prompts;
}

bool Sampler::is_guided(double timestep) const {
  if (options_.guidance_scale == 1) return false;
  const std::vector<int64_t>& interval = options_.guidance_interval;
  return interval.empty() ||
         (timestep >= static_cast<double>(interval[0]) && timestep <= static_cast<double>(interval[1]));
}

// The negative prompt's rows before the captions', whose own tensors become views of what is returned.
models::UNetContext Sampler::guided_context(models::UNetContext& prompts) const {
  const auto join = [](const at::Tensor& negative, at::Tensor& prompt) {
    const at::Tensor both = at::cat({negative.expand_as(prompt), prompt});
    prompt = both.narrow(0, prompt.size(0), prompt.size(0));
    return both;
  };
  models::UNetContext both;
  both.rows = 2 * prompts.rows;
  for (size_t i = 0; i < prompts.layers.size(); ++i) {
    both.layers.push_back({join(negative_.layers[i].key, prompts.layers[i].key),
                           join(negative_.layers[i].value, prompts.layers[i].value)});
  }
  return both;
}

// [2 B, ...], the unconditional half first -> [B, ...].
at::Tensor Sampler::guide(const at::Tensor& halves) const {
  const int64_t batch = halves.size(0) / 2;
  const at::Tensor unconditional = halves.narrow(0, 0, batch), conditional = halves.narrow(0, batch, batch);
  const at::Tensor guided = at::lerp(unconditional, conditional, options_.guidance_scale);
  return options_.guidance_rescale > 0 ? rescaled(guided, conditional, options_.guidance_rescale) : guided;
}

at::Tensor Sampler::sample(const PromptBatch& prompts, std::span<const uint32_t> seeds,
                           models::AttentionProbe* probe) const {
  FREEATM_CHECK(prompts.size() == static_cast<int64_t>(seeds.size()), "{} captions, {} seeds", prompts.size(),
                seeds.size());
  const int64_t factor = pipeline_.vae->factor();
  return naming_the_batch(prompts.size(), latent_size_.height * factor, latent_size_.width * factor,
                          [&] { return pictures(latents(prompts, seeds, probe), prompts); });
}

std::vector<UNetCall> Sampler::calls() const { return calls_of(*scheduler_->start(options_.steps)); }

std::optional<double> Sampler::cut_at() const {
  const auto trajectory = scheduler_->start(options_.steps);
  const std::vector<UNetCall> calls = calls_of(*trajectory);
  if (calls.size() == trajectory->timesteps().size()) return {};
  return calls.back().timestep;
}

std::vector<UNetCall> Sampler::calls_of(const Trajectory& trajectory) const {
  std::vector<UNetCall> calls;
  int64_t age = 0;  // of the deep features
  for (const double timestep : trajectory.timesteps()) {
    if (!calls.empty() && timestep < static_cast<double>(options_.timestep_min)) break;
    const bool is_on = is_guided(timestep);
    if (calls.empty() || is_on != calls.back().is_guided || age == options_.cache_interval) age = 0;
    calls.push_back({timestep, is_on, age++ == 0});
  }
  return calls;
}

at::Tensor Sampler::latents(const PromptBatch& prompts, std::span<const uint32_t> seeds,
                            models::AttentionProbe* probe) const {
  const c10::InferenceMode inference;
  const int64_t batch = prompts.size();
  // Keys and values of the captions do not change from step to step.
  models::UNetContext plain = pipeline_.unet->prepare_context(prompts.hidden);
  const models::UNetContext guided = options_.guidance_scale == 1 ? models::UNetContext() : guided_context(plain);

  const auto trajectory = scheduler_->start(options_.steps);
  const std::vector<int64_t> shape = {pipeline_.unet->options().in_channels, latent_size_.height, latent_size_.width};
  SeededNoise noise(seeds);
  // Latents stay in fp32 whatever the models compute in: the small steps of the end would vanish in 8 bits of mantissa.
  at::Tensor latents = noise.next(shape, pipeline_.device).mul_(trajectory->initial_sigma());

  const std::vector<UNetCall> calls = calls_of(*trajectory);
  models::UNetCache cache{options_.cache_depth, {}};
  for (size_t i = 0; i < calls.size(); ++i) {
    const auto [timestep, is_on, is_whole] = calls[i];
    if (probe) probe->begin_step(static_cast<int64_t>(i), timestep);
    if (is_whole) cache.features.reset();
    const at::Tensor input = trajectory->scale_input(i, latents).to(pipeline_.dtype);
    at::Tensor output = pipeline_.unet
                            ->forward(input, one_timestep(timestep, input), is_on ? guided : plain, probe,
                                      is_on ? batch : 0, batch, options_.cache_interval > 1 ? &cache : nullptr)
                            .to(at::kFloat);
    if (is_on) output = guide(output);
    if (i + 1 == calls.size() && calls.size() < trajectory->timesteps().size()) {  // cut short: what the call foresees
      latents = predicted_sample(scheduler_->noise().prediction, output, trajectory->scale_input(i, latents),
                                 trajectory->alpha_bar(i));
    } else {
      latents = trajectory->step(i, output, latents,
                                 trajectory->is_stochastic() ? noise.next(shape, pipeline_.device) : at::Tensor());
    }
  }
  require_finite_of_unet(latents, "latents", prompts.names);
  return latents;
}

at::Tensor Sampler::pictures(const at::Tensor& latents, const PromptBatch& prompts) const {
  const c10::InferenceMode inference;
  weights::release_mapped_weights(*pipeline_.unet);  // it waits: the autoencoder needs memory now
  return codec_->decode(latents, prompts.names).mul_(0.5).add_(0.5).clamp_(0, 1);
}

void Sampler::require_finite_of_unet(const at::Tensor& values, const char* what,
                                     const std::vector<std::string>& names) const {
  require_finite(values, what, names, pipeline_, "unet");
}

void Sampler::reobserve(const at::Tensor& images, const PromptBatch& prompts, std::span<const uint32_t> seeds,
                        std::span<const int64_t> timesteps, models::AttentionProbe& probe) const {
  FREEATM_CHECK(images.size(0) == prompts.size() && images.size(0) == static_cast<int64_t>(seeds.size()),
                "{} pictures, {} captions, {} seeds", images.size(0), prompts.size(), seeds.size());
  const int64_t trained = scheduler_->noise().num_train_timesteps;
  for (const int64_t timestep : timesteps) {
    if (timestep < 0 || timestep >= trained)
      throw UserError("", "harvest.timesteps", "{} is not in [0, {}]", timestep, trained - 1);
  }
  const c10::InferenceMode inference;
  naming_the_batch(prompts.size(), images.size(2), images.size(3), [&] {
    const at::Tensor latents = codec_->encode(images, prompts.names);
    const at::Tensor noise = SeededNoise(seeds).next(latents.sizes().slice(1), pipeline_.device);
    const models::UNetContext context = pipeline_.unet->prepare_context(prompts.hidden);
    for (size_t i = 0; i < timesteps.size(); ++i) {
      const auto timestep = static_cast<double>(timesteps[i]);
      probe.begin_step(static_cast<int64_t>(i), timestep);
      const at::Tensor noisy = scheduler_->add_noise(latents, noise, timesteps[i]).to(pipeline_.dtype);
      pipeline_.unet->forward(noisy, one_timestep(timestep, noisy), context, &probe);
    }
  });
}

}  // namespace freeatm::diffusion
