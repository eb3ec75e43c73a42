// SPDX-License-Identifier: Apache-2.0
// freeatm train-diffusion: its options, and what its stages share.
#pragma once
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "freeatm/config/fields.h"
#include "freeatm/core/files.h"
#include "freeatm/data/dataset.h"
#include "freeatm/data/loader.h"
#include "freeatm/diffusion/noise_options.h"
#include "freeatm/models/shapes.h"
#include "freeatm/objectives/denoising/denoising.h"
#include "freeatm/objectives/denoising/vae.h"
#include "freeatm/runs/run_folder.h"
#include "freeatm/runtime/device_options.h"
#include "freeatm/training/objective.h"
#include "freeatm/training/train_run.h"

namespace freeatm::commands {

struct TokenizerStage {
  std::optional<int64_t> vocab_size;
  int64_t min_frequency = 2;
  int64_t max_length = 32;
  void fields(config::Fields& f);
};

/// What is shown while a stage trains.
struct PreviewOptions {
  double every_minutes = 5;            // becomes every_steps when the run begins
  std::optional<int64_t> every_steps;  // what the saved config holds
  std::string split = "val";           // pictures and captions that are not trained on
  // stage=vae
  int64_t count = 512;
  // stage=unet
  std::vector<std::string> prompts;  // none: the split's first captions
  int64_t steps = 25;
  double guidance_scale = 4.0;
};

struct TrainDiffusionOptions {
  std::string stage = "tokenizer", out, dtype = "fp32", resume = "auto";
  runtime::DeviceOptions device;
  int64_t seed = 0;
  std::optional<int64_t> threads, image_size;
  data::DatasetOptions data;
  TokenizerStage tokenizer;
  models::VaeShape vae;
  objectives::VaeOptions vae_objective;
  std::optional<std::string> diffusion_path;
  models::UNetShape unet;
  models::TextEncoderShape text_encoder;
  diffusion::NoiseOptions noise;
  objectives::DenoisingOptions denoising;
  std::string save_dtype = "fp16";
  std::optional<double> budget_minutes = 60;
  data::LoaderOptions loader;
  training::TrainerOptions trainer;
  PreviewOptions preview;

  TrainDiffusionOptions();
  void fields(config::Fields& f);
  fs::path stage_folder() const { return fs::path(out) / stage; }
  /// The stage's folder in `out`, which is made.
  runs::Claim claim() const;
};

int train_tokenizer(const TrainDiffusionOptions& options);
int train_vae(TrainDiffusionOptions options);
int train_unet(TrainDiffusionOptions options);

/// The two trained stages differ in this.
struct StageRun {
  const data::Dataset& dataset;
  std::function<std::shared_ptr<training::Objective>()> make_objective;  // always the same one, anew
  std::function<void(training::TrainRun&)> add_hooks;
  std::function<void(training::Objective&, int64_t step)> preview;  // after every preview.every_steps-th step
};

/// Trains a stage in OUT/<stage>, or goes on with it: the time budget becomes a number of steps, which the folder's
/// config.yaml keeps.
void run_stage(TrainDiffusionOptions& options, at::Device device, const StageRun& run);

/// Throws UserError(where, "stage", ...) unless an earlier stage's result is there.
void require_stage(const fs::path& result, const std::string& stage, const TrainDiffusionOptions& options);

/// Throws UserError where pictures of side x side are no whole number of latents of factor x factor pixels.
void require_whole_latents(const TrainDiffusionOptions& options, int64_t side, int64_t factor);

}  // namespace freeatm::commands
