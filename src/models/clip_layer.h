// SPDX-License-Identifier: Apache-2.0
// The transformer of both of CLIP's towers.
#pragma once
#include <cstdint>
#include <string>

#include <torch/nn/module.h>
#include <torch/nn/modules/container/modulelist.h>
#include <torch/nn/modules/normalization.h>

#include "freeatm/core/random.h"

namespace freeatm::models {

struct ClipEncoderOptions {
  int64_t dim, depth, heads, mlp_dim;
  std::string activation;  // "quick_gelu" or "gelu"
  double layer_norm_eps;
  bool is_causal;  // each token sees itself and those before it; else all see all
};

/// x sigmoid(1.702 x), or GELU with the error function.
at::Tensor clip_activation(const std::string& name, const at::Tensor& x);

torch::nn::LayerNorm clip_norm(int64_t dim, double eps);

/// Names: layers.N.layer_norm1, self_attn.{q,k,v,out}_proj, layer_norm2, mlp.{fc1,fc2}.
struct ClipEncoder : torch::nn::Module {
  explicit ClipEncoder(const ClipEncoderOptions& options);
  at::Tensor forward(at::Tensor x);  // [B, N, dim]
  torch::nn::ModuleList layers;
};

/// CLIP's first weights (Radford et al. 2021): normal, query, key, value and the MLP's second layer with deviation
/// (2 dim depth)^-1/2, the attention's output with dim^-1/2, the MLP's first layer with (2 dim)^-1/2; biases 0, norms 1
/// and 0. Each tensor is a function of the stream and its name in `module`, which holds the encoder's layers.
void initialize_clip_layers(torch::nn::Module& module, int64_t dim, int64_t depth, const RandomStream& random);

}  // namespace freeatm::models
