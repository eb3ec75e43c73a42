// SPDX-License-Identifier: Apache-2.0
#include "freeatm/core/error.h"

#include "train_diffusion.h"

namespace freeatm::commands {

void TokenizerStage::fields(config::Fields& f) {
  f("vocab_size", vocab_size, "most pieces that it may have; null: as many as it takes", config::at_least(515));
  f("min_frequency", min_frequency, "words that stand in the captions so often become one token", config::at_least(1));
  f("max_length", max_length, "tokens of a caption with start and end", config::between(3, 1024));
}

namespace {

void check_groups(const config::Fields& f, const std::vector<int64_t>& block_out_channels, int64_t norm_num_groups) {
  if (block_out_channels.empty()) f.refuse("block_out_channels", "is empty");
  for (const int64_t channels : block_out_channels) {
    if (channels % norm_num_groups != 0)
      f.refuse("block_out_channels", format("{} is no multiple of norm_num_groups {}", channels, norm_num_groups));
  }
}

}  // namespace

void VaeShape::fields(config::Fields& f) {
  f("block_out_channels", block_out_channels, "channels of each level; every further one halves the grid",
    config::at_least(1));
  f("latent_channels", latent_channels, "of the latents", config::at_least(1));
  f("layers_per_block", layers_per_block, "residual blocks a level", config::at_least(1));
  f("norm_num_groups", norm_num_groups, "of every norm", config::at_least(1));
  f("mid_block_add_attention", mid_block_add_attention, "attention on the coarsest grid");
  if (f.reading()) check_groups(f, block_out_channels, norm_num_groups);
}

models::AutoencoderOptions VaeShape::options() const {
  models::AutoencoderOptions o;
  o.latent_channels = latent_channels;
  o.block_out_channels = block_out_channels;
  o.layers_per_block = layers_per_block;
  o.norm_num_groups = norm_num_groups;
  o.mid_block_add_attention = mid_block_add_attention;
  return o;
}

void UNetShape::fields(config::Fields& f) {
  f("in_channels", in_channels, "of the latents", config::at_least(1));
  f("block_out_channels", block_out_channels, "channels of each level; every further one halves the grid",
    config::at_least(1));
  f("down_block_types", down_block_types, "of each level, mirrored on the way up",
    config::any_of({"CrossAttnDownBlock2D", "DownBlock2D"}));
  f("heads", heads, "of each level's attention", config::at_least(1));
  f("layers_per_block", layers_per_block, "residual blocks a level", config::at_least(1));
  f("norm_num_groups", norm_num_groups, "of every norm", config::at_least(1));
  if (!f.reading()) return;
  check_groups(f, block_out_channels, norm_num_groups);
  const size_t levels = block_out_channels.size();
  if (down_block_types.size() != levels)
    f.refuse("down_block_types", format("{} for {} levels of block_out_channels", down_block_types.size(), levels));
  if (heads.size() != levels) f.refuse("heads", format("{} for {} levels of block_out_channels", heads.size(), levels));
  for (size_t i = 0; i < levels; ++i) {
    if (block_out_channels[i] % heads[i] != 0)
      f.refuse("heads", format("{} do not divide {} channels", heads[i], block_out_channels[i]));
  }
}

models::UNetOptions UNetShape::options(int64_t sample_size, int64_t cross_attention_dim) const {
  const size_t levels = block_out_channels.size();
  models::UNetOptions o;
  o.sample_size = sample_size;
  o.in_channels = o.out_channels = in_channels;
  o.block_out_channels = block_out_channels;
  o.layers_per_block.assign(levels, layers_per_block);
  o.heads = heads;
  o.cross_attention_dim.assign(levels, cross_attention_dim);
  o.norm_num_groups = norm_num_groups;
  for (const std::string& type : down_block_types) o.down_cross.push_back(type == "CrossAttnDownBlock2D");
  o.up_cross.assign(o.down_cross.rbegin(), o.down_cross.rend());
  return o;
}

void TextEncoderShape::fields(config::Fields& f) {
  f("hidden_size", hidden_size, "width of the text states", config::at_least(1));
  f("intermediate_size", intermediate_size, "width inside the MLPs", config::at_least(1));
  f("num_hidden_layers", num_hidden_layers, "", config::at_least(1));
  f("num_attention_heads", num_attention_heads, "", config::at_least(1));
  if (f.reading() && hidden_size % num_attention_heads != 0)
    f.refuse("num_attention_heads", format("{} do not divide hidden_size {}", num_attention_heads, hidden_size));
}

models::ClipTextConfig TextEncoderShape::config(int64_t vocab_size, int64_t max_length) const {
  models::ClipTextConfig c;
  c.vocab_size = vocab_size;
  c.hidden_size = hidden_size;
  c.intermediate_size = intermediate_size;
  c.num_hidden_layers = num_hidden_layers;
  c.num_attention_heads = num_attention_heads;
  c.max_position_embeddings = max_length;
  return c;
}

void NoiseOptions::fields(config::Fields& f) {
  f("prediction_type", prediction_type, "what the UNet predicts",
    config::any_of({"epsilon", "v_prediction", "sample"}));
  f("beta_schedule", beta_schedule, "", config::any_of({"linear", "scaled_linear"}));
  f("beta_start", beta_start, "", config::between(1e-6, 0.999));
  f("beta_end", beta_end, "", config::between(1e-6, 0.999));
  f("num_train_timesteps", num_train_timesteps, "", config::between(10, 100000));
}

// Lin et al. 2023: trailing steps begin where training ended.
diffusion::DdimOptions NoiseOptions::scheduler() const {
  diffusion::DdimOptions o;
  o.noise = {.num_train_timesteps = num_train_timesteps,
             .beta_start = beta_start,
             .beta_end = beta_end,
             .beta_schedule = beta_schedule,
             .prediction = diffusion::prediction_from_name(prediction_type, "")};
  o.timestep_spacing = "trailing";
  o.steps_offset = 1;
  o.set_alpha_to_one = false;
  o.clip_sample = false;
  return o;
}

namespace {

void preview_fields(config::Fields& f, PreviewOptions& preview, const std::string& stage) {
  f("every_minutes", preview.every_minutes, "between previews; becomes every_steps when the run begins",
    config::more_than(0));
  f("every_steps", preview.every_steps, "steps between previews", config::at_least(1));
  f("split", preview.split, "pictures and captions that are not trained on");
  if (stage == "vae") {
    f("count", preview.count, "of the split's pictures, whose PSNR is measured", config::at_least(1));
    return;
  }
  f("prompts", preview.prompts, "what is drawn, the i-th with seed i; none: the split's first captions");
  f("steps", preview.steps, "denoising steps", config::between(1, 1000));
  f("guidance_scale", preview.guidance_scale, "classifier-free guidance; 1: none", config::at_least(1));
}

// A part of the options that is no struct of its own.
template <class Function>
struct Part {
  Function function;
  void fields(config::Fields& f) { function(f); }
};
template <class Function>
void part(config::Fields& f, const char* key, Function function) {
  Part<Function> one{function};
  f.group(key, one);
}

}  // namespace

TrainDiffusionOptions::TrainDiffusionOptions() {
  loader.batch_size = 32;
  trainer.epochs = std::nullopt;
  trainer.lr = 1.5e-3;
  trainer.optimizer.beta2 = 0.99;
  trainer.optimizer.weight_decay = 0.01;
  trainer.optimizer.clip_norm = 1.0;
}

void TrainDiffusionOptions::fields(config::Fields& f) {
  f("stage", stage, "what is trained", config::any_of({"tokenizer", "vae", "unet"}));
  f("out", out, "the folder of all stages", config::free());
  f("seed", seed, "of weights, order, crops and noise", config::between(0, 4294967295));
  f("device", device, "auto, cpu, cuda or cuda:N", config::free());
  f("dtype", dtype, "compute type", config::any_of({"fp32"}));
  f("threads", threads, "of the CPU; null: what OMP_NUM_THREADS says, or all cores", config::between(1, 1024));
  f("resume", resume, "go on from the stage's latest checkpoint", runs::any_resume());
  f("image_size", image_size, "side of the pictures, which are cut to it; null: they are squares of one size already",
    config::between(8, 4096));
  f.group("data", data);
  if (stage == "tokenizer") {
    f.group("tokenizer", tokenizer);
    return;
  }
  if (stage == "vae") {
    f.group("vae", vae);
    f.group("objective", vae_objective);
  } else {
    part(f, "diffusion", [&](config::Fields& g) {
      g("path", diffusion_path, "a diffusers folder to go on from; null: weights by the seed, OUT/tokenizer, OUT/vae");
    });
    f.group("unet", unet);
    f.group("text_encoder", text_encoder);
    f.group("noise", noise);
    f.group("objective", denoising);
    f("save_dtype", save_dtype, "of the weights in OUT/model", config::any_of({"fp16", "fp32"}));
  }
  f("budget_minutes", budget_minutes,
    "becomes trainer.steps, where that is null, by a short timing when the run begins", config::more_than(0));
  f.group("loader", loader);
  f.group("trainer", trainer);
  if (f.reading() && trainer.ema)
    f.refuse("trainer.ema", "is for pretrain and finetune; stage=unet has objective.ema_decay");
  part(f, "preview", [&](config::Fields& g) { preview_fields(g, preview, stage); });
  if (f.reading() && !budget_minutes && !trainer.steps && !trainer.epochs)
    f.refuse("budget_minutes", "the run has no end: give budget_minutes, trainer.steps or trainer.epochs");
}

}  // namespace freeatm::commands
