// SPDX-License-Identifier: Apache-2.0
// stage=unet: captioned pictures, a tokenizer and an autoencoder -> text encoder and UNet, OUT/model.

#include <ATen/ATen.h>

#include "freeatm/core/error.h"
#include "freeatm/core/shipped.h"
#include "freeatm/data/tile.h"
#include "freeatm/diffusion/pipeline.h"
#include "freeatm/diffusion/pipeline_writer.h"
#include "freeatm/diffusion/preview.h"
#include "freeatm/objectives/denoising/parts.h"
#include "freeatm/objectives/denoising/weights.h"
#include "freeatm/report/run_views.h"
#include "freeatm/text/clip_tokenizer.h"
#include "freeatm/training/ema.h"

#include "train_diffusion.h"

namespace freeatm::commands {
namespace {

constexpr int64_t kPreviewColumns = 5;
constexpr int64_t kPrompts = 10;  // of a preview, where the user names none

/// Of diffusion.path, or of the stages before.
objectives::FrozenParts load_frozen(const TrainDiffusionOptions& options, at::Device device) {
  if (options.diffusion_path) return objectives::frozen_parts(find_shipped(*options.diffusion_path), device);
  const fs::path tokenizer = fs::path(options.out) / "tokenizer" / "tokenizer",
                 vae = fs::path(options.out) / "vae" / "vae";
  require_stage(tokenizer, "tokenizer", options);
  require_stage(vae, "vae", options);
  return objectives::frozen_parts(tokenizer, vae, options.noise.scheduler(), device);
}

/// Throws UserError where the pictures and the models do not fit together.
void check_fit(const TrainDiffusionOptions& options, const objectives::FrozenParts& frozen, int64_t side) {
  const int64_t factor = frozen.vae->factor(), channels = frozen.vae->options().latent_channels;
  require_whole_latents(options, side, factor);
  if (options.diffusion_path && side != frozen.sample_size * factor) {
    throw UserError(options.data.root, "image_size", "pictures of {}x{}, but the model of diffusion.path draws {}x{}",
                    side, side, frozen.sample_size * factor, frozen.sample_size * factor);
  }
  if (!options.diffusion_path && options.unet.in_channels != channels) {
    throw UserError("", "unet.in_channels", "{} is not the autoencoder's latent_channels {}", options.unet.in_channels,
                    channels);
  }
}

void require_finite(const objectives::Latents& latents, const objectives::PicturesInMemory& pictures,
                    const std::string& where) {
  const at::Tensor bad =
      (latents.mean.isfinite() & latents.std.isfinite()).flatten(1).all(1).logical_not().nonzero().flatten();
  if (bad.numel() == 0) return;
  throw UserError(where, "",
                  "the latents of picture {} are not finite: the autoencoder overflows; another vae is needed",
                  pictures.key(bad[0].item<int64_t>()));
}

/// The pictures, encoded once, and their captions.
objectives::DenoisingData make_data(const TrainDiffusionOptions& options, const objectives::FrozenParts& frozen,
                                    at::Device device) {
  const objectives::PicturesInMemory pictures(*data::open_dataset(options.data), options.image_size);
  objectives::require_captions(pictures, options.data.root);
  check_fit(options, frozen, pictures.side());
  const text::ClipTokenizer tokenizer(frozen.tokenizer_folder.string());
  prepare_folder(options.out);
  const objectives::Latents latents =
      objectives::cached_latents(fs::path(options.out) / "latents.safetensors", frozen.vae_digest + pictures.digest(),
                                 *frozen.vae, pictures.pixels(), device);
  require_finite(latents, pictures, options.data.root);
  const double scale = frozen.vae->options().scaling_factor;
  return {{latents.mean * scale, latents.std * scale},
          objectives::caption_ids(tokenizer, pictures.captions()),
          objectives::caption_ids(tokenizer, {""})[0]};
}

/// Captions that are not trained on.
std::vector<std::string> unseen_captions(const TrainDiffusionOptions& options) {
  data::DatasetOptions unseen = options.data.root_alone();
  unseen.split = options.preview.split;
  const objectives::PicturesInMemory pictures(*data::open_dataset(unseen), options.image_size, kPrompts);
  objectives::require_captions(pictures, options.data.root);
  return pictures.captions();
}

std::shared_ptr<objectives::Denoising> make_denoising(const TrainDiffusionOptions& options,
                                                      const objectives::FrozenParts& frozen,
                                                      const objectives::DenoisingData& data, at::Device device) {
  objectives::TrainedParts parts;
  if (options.diffusion_path) {
    parts = objectives::trained_parts(find_shipped(*options.diffusion_path), device);
  } else {
    const text::ClipTokenizer tokenizer(frozen.tokenizer_folder.string());
    parts = objectives::trained_parts(options.unet.options(data.latents.mean.size(2), options.text_encoder.hidden_size),
                                      options.text_encoder.config(tokenizer.vocab_size(), tokenizer.model_max_length()),
                                      static_cast<uint64_t>(options.seed), device);
  }
  return std::make_shared<objectives::Denoising>(parts.unet, parts.text_encoder, data, frozen.noise, options.denoising);
}

std::string lead_of(const TrainDiffusionOptions& options, int64_t pictures) {
  std::string prompts;
  for (const std::string& prompt : options.preview.prompts) prompts += (prompts.empty() ? "" : "; ") + prompt;
  return format("{} captioned pictures. Drawn row by row, with the average of the weights: {}", pictures, prompts);
}

}  // namespace

int train_unet(TrainDiffusionOptions options) {
  const at::Device device = options.device.pick();
  const objectives::FrozenParts frozen = load_frozen(options, device);
  if (options.preview.prompts.empty()) options.preview.prompts = unseen_captions(options);
  const objectives::DenoisingData data = make_data(options, frozen, device);
  const objectives::Indices indices(data.ids.size(0));

  const auto as_denoising = [](training::Objective& objective) -> objectives::Denoising& {
    return dynamic_cast<objectives::Denoising&>(objective);
  };
  const auto add_hooks = [&](training::TrainRun& run) {
    run.add(std::make_unique<training::EmaHook>(as_denoising(run.objective()).averages(), options.denoising.ema_decay));
  };
  const fs::path out = options.stage_folder();
  const auto preview = [&](training::Objective& objective, int64_t step) {
    const auto& denoising = as_denoising(objective);
    const fs::path model = fs::path(options.out) / "model";
    diffusion::save_pipeline(model,
                             {*denoising.ema_text_encoder(), *denoising.ema_unet(), *frozen.vae,
                              frozen.scheduler_config, frozen.tokenizer_folder},
                             options.save_dtype == "fp16" ? at::kHalf : at::kFloat);
    const at::Tensor drawn =
        diffusion::draw_prompts(diffusion::Pipeline::load(model.string(), device, at::kFloat), options.preview.prompts,
                                options.preview.steps, options.preview.guidance_scale);
    write_file(out / "previews" / format("step_{}.png", step), vision::encode_png(data::tile(drawn, kPreviewColumns)));
    report::write_stage_page(out, "Diffusion model", lead_of(options, data.ids.size(0)));
  };
  run_stage(options, device,
            {indices, [&] { return make_denoising(options, frozen, data, device); }, add_hooks, preview});
  return 0;
}

}  // namespace freeatm::commands
