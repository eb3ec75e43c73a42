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
#include "freeatm/diffusion/ddim.h"
#include "freeatm/models/autoencoder_kl.h"
#include "freeatm/models/clip_text.h"
#include "freeatm/models/unet_2d_condition.h"
#include "freeatm/objectives/denoising/denoising.h"
#include "freeatm/objectives/denoising/vae.h"
#include "freeatm/runs/run_folder.h"
#include "freeatm/training/objective.h"
#include "freeatm/training/train_run.h"
#include "freeatm/vision/image.h"

namespace freeatm::commands {

struct TokenizerStage {
  std::optional<int64_t> vocab_size;
  int64_t min_frequency = 2;
  int64_t max_length = 32;
  void fields(config::Fields& f);
};

/// An AutoencoderKL's shape, under the names of its config.json.
struct VaeShape {
  std::vector<int64_t> block_out_channels = {16, 32, 64};
  int64_t latent_channels = 4, layers_per_block = 1, norm_num_groups = 8;
  bool mid_block_add_attention = false;
  void fields(config::Fields& f);
  models::AutoencoderOptions options() const;
};

/// A UNet2DConditionModel's shape.
struct UNetShape {
  int64_t in_channels = 4;  // and out_channels
  std::vector<int64_t> block_out_channels = {64, 96, 128};
  std::vector<std::string> down_block_types = {"CrossAttnDownBlock2D", "CrossAttnDownBlock2D", "CrossAttnDownBlock2D"};
  std::vector<int64_t> heads = {4, 4, 4};
  int64_t layers_per_block = 1, norm_num_groups = 16;
  void fields(config::Fields& f);
  ///   sample_size: side of the latents; cross_attention_dim: width of the text states
  models::UNetOptions options(int64_t sample_size, int64_t cross_attention_dim) const;
};

/// A CLIPTextModel's shape; vocabulary and length come from the tokenizer.
struct TextEncoderShape {
  int64_t hidden_size = 128, intermediate_size = 384, num_hidden_layers = 2, num_attention_heads = 4;
  void fields(config::Fields& f);
  models::ClipTextConfig config(int64_t vocab_size, int64_t max_length) const;
};

struct NoiseOptions {
  std::string prediction_type = "v_prediction", beta_schedule = "scaled_linear";
  double beta_start = 0.00085, beta_end = 0.012;
  int64_t num_train_timesteps = 1000;
  void fields(config::Fields& f);
  diffusion::DdimOptions scheduler() const;
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
  std::string stage = "tokenizer", out, device = "auto", dtype = "fp32", resume = "auto";
  int64_t seed = 0;
  std::optional<int64_t> threads, image_size;
  data::DatasetOptions data;
  TokenizerStage tokenizer;
  VaeShape vae;
  objectives::VaeOptions vae_objective;
  std::optional<std::string> diffusion_path;
  UNetShape unet;
  TextEncoderShape text_encoder;
  NoiseOptions noise;
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

/// Pictures side by side, each pixel doubled where they are small.
///   pixels: bytes [N, side, side, 3]
vision::Image tile(const at::Tensor& pixels, int64_t columns);

/// Writes FOLDER/report.html: the stage's curves, and FOLDER/previews/step_N.png with the newest first.
void write_stage_report(const fs::path& folder, const std::string& title, const std::string& lead);

}  // namespace freeatm::commands
