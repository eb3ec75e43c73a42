// SPDX-License-Identifier: Apache-2.0
// stage=unet: captioned pictures, a tokenizer and an autoencoder -> text encoder and UNet, OUT/model.
#include <algorithm>
#include <numeric>

#include <ATen/ATen.h>

#include "freeatm/core/error.h"
#include "freeatm/core/log.h"
#include "freeatm/core/random.h"
#include "freeatm/core/shipped.h"
#include "freeatm/diffusion/pipeline.h"
#include "freeatm/diffusion/pipeline_writer.h"
#include "freeatm/diffusion/sampler.h"
#include "freeatm/models/device.h"
#include "freeatm/objectives/denoising/weights.h"
#include "freeatm/text/tokenizer.h"
#include "freeatm/training/ema.h"
#include "freeatm/weights/load.h"

#include "train_diffusion.h"

namespace freeatm::commands {
namespace {

constexpr int64_t kPreviewColumns = 5;
constexpr int64_t kPrompts = 10;  // of a preview, where the user names none

/// What the UNet's training does not change.
struct Frozen {
  fs::path tokenizer_folder;
  std::shared_ptr<models::AutoencoderKL> vae;
  std::string vae_digest;
  int64_t sample_size = 0;  // of a given UNet
  diffusion::NoiseSchedule noise;
  std::string scheduler_config;
};

Frozen load_frozen(const TrainDiffusionOptions& options, at::Device device) {
  Frozen frozen;
  fs::path vae;
  if (options.diffusion_path) {
    const fs::path given = find_shipped(*options.diffusion_path);
    const auto pipeline = diffusion::Pipeline::load(given.string(), device, at::kFloat);
    frozen.noise = diffusion::make_scheduler((given / "scheduler").string())->noise();
    frozen.sample_size = pipeline.unet->options().sample_size;
    frozen.scheduler_config = read_file(given / "scheduler" / "scheduler_config.json");
    frozen.tokenizer_folder = given / "tokenizer";
    vae = given / "vae";
  } else {
    const diffusion::DdimOptions scheduler = options.noise.scheduler();
    frozen.noise = scheduler.noise;
    frozen.scheduler_config = diffusion::ddim_config(scheduler);
    frozen.tokenizer_folder = fs::path(options.out) / "tokenizer" / "tokenizer";
    vae = fs::path(options.out) / "vae" / "vae";
    require_stage(frozen.tokenizer_folder, "tokenizer", options);
    require_stage(vae, "vae", options);
  }
  frozen.vae = diffusion::load_autoencoder(vae.string(), device, at::kFloat);
  uint64_t hash = 0;
  for (const auto& [name, tensor] : weights::module_state(*frozen.vae)) {
    const at::Tensor bytes = tensor.cpu().contiguous();
    hash = stable_hash({static_cast<const char*>(bytes.data_ptr()), bytes.nbytes()}, hash);
  }
  frozen.vae_digest = hash_text(hash);
  return frozen;
}

/// The captions as the text encoder sees them, [N, tokens].
at::Tensor caption_ids(const text::ClipTokenizer& tokenizer, const std::vector<std::string>& captions) {
  const auto longest = static_cast<size_t>(tokenizer.model_max_length() - 2);
  std::vector<at::Tensor> rows;
  int64_t full = 0;
  for (const std::string& caption : captions) {
    const text::Encoding encoding = tokenizer.encode(caption);
    full += encoding.ids.size() == longest;
    rows.push_back(at::tensor(tokenizer.padded_ids(encoding), at::kLong));
  }
  if (full > 0)
    log::warning("{} of {} captions have {} tokens or more: what is beyond is cut off", full, captions.size(), longest);
  return at::stack(rows);
}

/// Throws UserError where the pictures and the models do not fit together.
void check_fit(const TrainDiffusionOptions& options, const Frozen& frozen, int64_t side) {
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

/// The pictures, encoded once, and their captions.
objectives::DenoisingData make_data(const TrainDiffusionOptions& options, const Frozen& frozen, at::Device device) {
  const objectives::PicturesInMemory pictures(*data::open_dataset(options.data), options.image_size);
  objectives::require_captions(pictures, options.data.root);
  check_fit(options, frozen, pictures.side());
  const text::ClipTokenizer tokenizer(frozen.tokenizer_folder.string());
  prepare_folder(options.out);
  const objectives::Latents latents =
      objectives::cached_latents(fs::path(options.out) / "latents.safetensors", frozen.vae_digest + pictures.digest(),
                                 *frozen.vae, pictures.pixels(), device);
  const double scale = frozen.vae->options().scaling_factor;
  return {{latents.mean * scale, latents.std * scale},
          caption_ids(tokenizer, pictures.captions()),
          caption_ids(tokenizer, {""})[0]};
}

/// Captions that are not trained on.
std::vector<std::string> unseen_captions(const TrainDiffusionOptions& options) {
  data::DatasetOptions unseen = options.data;
  unseen.split = options.preview.split;
  const objectives::PicturesInMemory pictures(*data::open_dataset(unseen), options.image_size, kPrompts);
  objectives::require_captions(pictures, options.data.root);
  return pictures.captions();
}

/// Which samples a step trains on: all that a Denoising needs of them is their index.
class Indices final : public data::Dataset {
 public:
  explicit Indices(int64_t size) : size_(size) {}
  int64_t size() const override { return size_; }
  data::Sample get(int64_t, RandomStream&) const override { return {}; }

 private:
  int64_t size_;
};

std::shared_ptr<objectives::Denoising> make_denoising(const TrainDiffusionOptions& options, const Frozen& frozen,
                                                      const objectives::DenoisingData& data, at::Device device) {
  std::shared_ptr<models::UNet2DConditionModel> unet;
  std::shared_ptr<models::ClipTextModelImpl> text_encoder;
  if (options.diffusion_path) {
    const auto given = diffusion::Pipeline::load(find_shipped(*options.diffusion_path), device, at::kFloat);
    unet = given.unet;
    text_encoder = given.text_encoder;
  } else {
    const text::ClipTokenizer tokenizer(frozen.tokenizer_folder.string());
    text_encoder = std::make_shared<models::ClipTextModelImpl>(
        options.text_encoder.config(tokenizer.vocab_size(), tokenizer.model_max_length()));
    unet = std::make_shared<models::UNet2DConditionModel>(
        options.unet.options(data.latents.mean.size(2), options.text_encoder.hidden_size));
    const auto seed = static_cast<uint64_t>(options.seed);
    objectives::initialize(*text_encoder, seed);
    objectives::initialize(*unet, seed);
    text_encoder->to(device);
    unet->to(device);
  }
  return std::make_shared<objectives::Denoising>(unet, text_encoder, data, frozen.noise, options.denoising);
}

/// Draws the preview's prompts. Returns bytes [prompts, side, side, 3].
at::Tensor draw_prompts(const diffusion::Pipeline& pipeline, const PreviewOptions& preview) {
  const diffusion::Sampler sampler(pipeline, {.steps = preview.steps, .guidance_scale = preview.guidance_scale});
  std::vector<uint32_t> seeds(preview.prompts.size());
  std::iota(seeds.begin(), seeds.end(), 0u);
  const at::Tensor images = sampler.sample(sampler.encode(preview.prompts), seeds);
  return images.mul(255).round().to(at::kByte).permute({0, 2, 3, 1}).contiguous().cpu();
}

std::string lead_of(const TrainDiffusionOptions& options, int64_t pictures) {
  std::string prompts;
  for (const std::string& prompt : options.preview.prompts) prompts += (prompts.empty() ? "" : "; ") + prompt;
  return format("{} captioned pictures. Drawn row by row, with the average of the weights: {}", pictures, prompts);
}

}  // namespace

int train_unet(TrainDiffusionOptions options) {
  const at::Device device = models::pick_device(options.device);
  const Frozen frozen = load_frozen(options, device);
  if (options.preview.prompts.empty()) options.preview.prompts = unseen_captions(options);
  const objectives::DenoisingData data = make_data(options, frozen, device);
  const Indices indices(data.ids.size(0));

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
        draw_prompts(diffusion::Pipeline::load(model.string(), device, at::kFloat), options.preview);
    write_file(out / "previews" / format("step_{}.png", step), vision::encode_png(tile(drawn, kPreviewColumns)));
    write_stage_report(out, "Diffusion model", lead_of(options, data.ids.size(0)));
  };
  run_stage(options, device,
            {indices, [&] { return make_denoising(options, frozen, data, device); }, add_hooks, preview});
  return 0;
}

}  // namespace freeatm::commands
