// SPDX-License-Identifier: Apache-2.0
// Attention and the transformers around it, of the UNet and (single-headed) of the autoencoder.
#pragma once
#include <memory>

#include <torch/nn/modules/linear.h>
#include <torch/nn/modules/normalization.h>

#include "freeatm/models/attention.h"
#include "freeatm/models/unet_2d_condition.h"

#include "diffusion_blocks.h"

namespace freeatm::models {

/// What one forward pass of the UNet gives to every block.
struct UNetPass {
  at::Tensor time;  // silu(time embedding), [1 or B, D]
  const UNetContext& context;
  AttentionProbe* probe;
  int64_t first_row, rows;  // what the probe sees
};

/// Multi-head attention, out by fused attention always. That keeps QK^T and its softmax in fp32 whatever the tensors'
/// type, which is all that `upcast_attention` asks for.
class Attention : public torch::nn::Module {
 public:
  /// query_dim: channels of the queries' states, and of the result; key_dim: those of the keys' and values' states
  Attention(int64_t query_dim, int64_t key_dim, int64_t heads, bool qkv_bias);

  /// states: [R, M, key_dim]
  UNetContext::Layer keys_values(const at::Tensor& states);
  at::Tensor queries(const at::Tensor& states);  // [R, N, query_dim] -> [R, heads, N, head_dim]
  /// query: [R, heads, N, head_dim], keys of as many rows. Returns [R, N, query_dim].
  at::Tensor attend(const at::Tensor& query, const UNetContext::Layer& keys);

  /// Where it stands; the grid is set for each call.
  AttentionSite site;
  int64_t context_index = -1;  // of cross-attention: into UNetContext::layers

  /// Attention of a UNet: self-attention, or to the context's keys.
  /// hidden: [B, height * width, query_dim]. Returns as many rows, or the context's.
  at::Tensor forward(const at::Tensor& hidden, int64_t height, int64_t width, const UNetPass& pass);

 private:
  void show(const at::Tensor& query, const UNetContext::Layer& keys, int64_t height, int64_t width,
            const UNetPass& pass);

  int64_t heads_;
  double scale_;  // 1 / sqrt(head_dim)
  torch::nn::Linear to_q_, to_k_, to_v_;
  std::shared_ptr<ModuleArray<torch::nn::LinearImpl>> to_out_;
};

/// Self-attention, cross-attention and a gated MLP (GEGLU, Shazeer 2020), each behind its LayerNorm.
class TransformerBlock : public torch::nn::Module {
 public:
  TransformerBlock(int64_t channels, int64_t cross_attention_dim, int64_t heads);
  /// hidden: [B, height * width, channels] -> [context rows, height * width, channels]
  at::Tensor forward(at::Tensor hidden, int64_t height, int64_t width, const UNetPass& pass);

 private:
  torch::nn::LayerNorm norm1_{nullptr}, norm2_{nullptr}, norm3_{nullptr};
  std::shared_ptr<Attention> attn1_, attn2_;
  std::shared_ptr<class GatedMlp> ff_;
};

/// The level's TransformerBlocks, one behind the other, over a grid.
class Transformer2D : public torch::nn::Module {
 public:
  Transformer2D(const UNetOptions& options, int64_t channels, size_t level);
  /// x: [B, channels, h, w] -> [context rows, channels, h, w]
  at::Tensor forward(const at::Tensor& x, const UNetPass& pass);

 private:
  torch::nn::GroupNorm norm_{nullptr};
  Convolution conv_in_{nullptr}, conv_out_{nullptr};            // proj_in, proj_out: either these
  torch::nn::Linear linear_in_{nullptr}, linear_out_{nullptr};  // or these
  std::shared_ptr<ModuleArray<TransformerBlock>> transformer_blocks_;
};

}  // namespace freeatm::models
