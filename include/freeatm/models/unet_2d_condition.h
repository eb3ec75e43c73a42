// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <memory>
#include <string>
#include <vector>

#include <torch/nn/module.h>
#include <torch/nn/modules/normalization.h>

#include "freeatm/models/attention.h"

namespace freeatm::models {

template <class M>
class ModuleArray;
class Attention;
class ConvolutionImpl;
class TimestepEmbedding;
class UNetDownBlock;
class UNetMidBlock;
class UNetUpBlock;

/// UNetMidBlock2DCrossAttn, UNetMidBlock2D, or none.
enum class MidBlock { kCrossAttention, kResnet, kNone };

/// diffusers' config.json of a UNet2DConditionModel; per-level lists run from the finest grid to the coarsest. What
/// each of diffusers' keys becomes stands in docs/diffusers-folders.md.
struct UNetOptions {
  int64_t sample_size = 64;  // side of the latents that it was trained on
  int64_t in_channels = 4, out_channels = 4;
  std::vector<int64_t> block_out_channels = {320, 640, 1280, 1280};
  std::vector<int64_t> layers_per_block;     // [levels]
  std::vector<int64_t> heads;                // [levels]; diffusers calls it attention_head_dim
  std::vector<int64_t> cross_attention_dim;  // [levels]: width of the text states
  std::vector<bool> down_cross, up_cross;    // [levels]: has the block cross-attention? `up_cross` from coarse to fine
  int64_t norm_num_groups = 32;
  double norm_eps = 1e-5;
  bool use_linear_projection = false;
  bool upcast_attention = false;  // says nothing here: fused attention keeps its scores in fp32 anyway
  bool flip_sin_to_cos = true;
  double freq_shift = 0;
  std::vector<int64_t> transformer_layers_per_block;  // [levels]; empty: 1 each
  MidBlock mid_block = MidBlock::kCrossAttention;
  bool scale_shift = false;        // resnet_time_scale_shift: the time scales and shifts instead of being added
  int64_t time_embedding_dim = 0;  // 0: 4 * block_out_channels[0]
  int64_t conv_in_kernel = 3, conv_out_kernel = 3;  // odd
  bool center_input_sample = false;                 // the model sees 2 x - 1

  /// Throws UserError(path, key, ...) for what is not implemented or does not fit together.
  static UNetOptions from_config(const std::string& path);
  bool operator==(const UNetOptions&) const = default;
};

/// What of a pass depends on the captions alone: keys and values of every cross-attention layer, [rows, heads, tokens,
/// head_dim].
struct UNetContext {
  struct Layer {
    at::Tensor key, value;
  };
  std::vector<Layer> layers;  // in the order of UNet2DConditionModel's modules
  int64_t rows = 0;
};

/// What a pass leaves behind for later ones that compute the finest levels alone (DeepCache, Ma et al. 2024, cut
/// between two levels): the deep ones change slowly from step to step.
struct UNetCache {
  int64_t depth = 1;    // levels that every pass computes, from the finest; fewer than there are
  at::Tensor features;  // of the deeper ones, [R, ...]; undefined: the next pass computes all levels and sets it
};

/// The denoiser of Stable Diffusion 1.x and 2.x under diffusers' parameter names.
class UNet2DConditionModel : public torch::nn::Module {
 public:
  explicit UNet2DConditionModel(const UNetOptions& options);

  /// encoder_hidden_states: [rows, tokens, cross_attention_dim]. Once per batch of captions, good for every step.
  UNetContext prepare_context(const at::Tensor& encoder_hidden_states) const;

  /// Predicts epsilon or v, whichever the model was trained for.
  ///   sample: [B, in_channels, h, w]; timesteps: [1] (one for all) or [B], any number type
  ///   context: of R = k * B rows; row r sees picture r mod B, so that guidance passes its latents once: what comes
  ///   before the first cross-attention is then computed once, too probe: sees rows first_row .. first_row + rows of
  ///   the R (all of them with rows = -1)
  ///   cache: only with the rows of context that it was set with
  /// Returns [R, out_channels, h, w].
  at::Tensor forward(const at::Tensor& sample, const at::Tensor& timesteps, const UNetContext& context,
                     AttentionProbe* probe = nullptr, int64_t first_row = 0, int64_t rows = -1,
                     UNetCache* cache = nullptr);

  const UNetOptions& options() const { return options_; }

 private:
  UNetOptions options_;
  std::shared_ptr<TimestepEmbedding> time_embedding_;
  std::shared_ptr<ConvolutionImpl> conv_in_, conv_out_;
  std::shared_ptr<torch::nn::GroupNormImpl> conv_norm_out_;
  std::shared_ptr<ModuleArray<UNetDownBlock>> down_blocks_;
  std::shared_ptr<UNetMidBlock> mid_block_;
  std::shared_ptr<ModuleArray<UNetUpBlock>> up_blocks_;
  std::vector<Attention*> cross_attentions_;  // owned by the blocks
};

}  // namespace freeatm::models
