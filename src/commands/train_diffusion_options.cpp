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
  f("guidance_scale", preview.guidance_scale, "classifier-free guidance; 1: none", config::between(1, 1e6));
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
  device.fields(f);
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
