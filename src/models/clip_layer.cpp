// SPDX-License-Identifier: Apache-2.0
#include "clip_layer.h"

#include <cmath>

#include <ATen/ATen.h>
#include <torch/nn/modules/linear.h>

#include "freeatm/models/initialize.h"

#include "linear.h"

namespace freeatm::models {
namespace {

using at::Tensor;
namespace nn = torch::nn;

struct ClipAttentionImpl : nn::Module {
  explicit ClipAttentionImpl(const ClipEncoderOptions& o) : heads(o.heads), is_causal(o.is_causal) {
    const auto linear = [&](const char* name) { return register_module(name, nn::Linear(o.dim, o.dim)); };
    q_proj = linear("q_proj");
    k_proj = linear("k_proj");
    v_proj = linear("v_proj");
    out_proj = linear("out_proj");
  }

  Tensor forward(const Tensor& x) {
    const auto split = [&](const Tensor& t) {
      return t.unflatten(2, {heads, -1}).transpose(1, 2);
    };  // [B, heads, N, d]
    const Tensor out =
        at::scaled_dot_product_attention(split(fused_linear(*q_proj, x)), split(fused_linear(*k_proj, x)),
                                         split(fused_linear(*v_proj, x)), {}, /*dropout_p=*/0.0, is_causal);
    return fused_linear(*out_proj, out.transpose(1, 2).flatten(2));
  }

  int64_t heads;
  bool is_causal;
  nn::Linear q_proj{nullptr}, k_proj{nullptr}, v_proj{nullptr}, out_proj{nullptr};
};
TORCH_MODULE(ClipAttention);

struct ClipMlpImpl : nn::Module {
  explicit ClipMlpImpl(const ClipEncoderOptions& o)
      : activation(o.activation),
        fc1(register_module("fc1", nn::Linear(o.dim, o.mlp_dim))),
        fc2(register_module("fc2", nn::Linear(o.mlp_dim, o.dim))) {}

  Tensor forward(const Tensor& x) { return fused_linear(*fc2, clip_activation(activation, fused_linear(*fc1, x))); }

  std::string activation;
  nn::Linear fc1, fc2;
};
TORCH_MODULE(ClipMlp);

struct ClipLayerImpl : nn::Module {
  explicit ClipLayerImpl(const ClipEncoderOptions& o)
      : layer_norm1(register_module("layer_norm1", clip_norm(o.dim, o.layer_norm_eps))),
        self_attn(register_module("self_attn", ClipAttention(o))),
        layer_norm2(register_module("layer_norm2", clip_norm(o.dim, o.layer_norm_eps))),
        mlp(register_module("mlp", ClipMlp(o))) {}

  Tensor forward(const Tensor& input) {
    const Tensor x = input + self_attn(layer_norm1(input));
    return x + mlp(layer_norm2(x));
  }

  nn::LayerNorm layer_norm1;
  ClipAttention self_attn;
  nn::LayerNorm layer_norm2;
  ClipMlp mlp;
};
TORCH_MODULE(ClipLayer);

}  // namespace

Tensor clip_activation(const std::string& name, const Tensor& x) {
  return name == "quick_gelu" ? x * at::sigmoid(1.702 * x) : at::gelu(x);
}

nn::LayerNorm clip_norm(int64_t dim, double eps) { return nn::LayerNorm(nn::LayerNormOptions({dim}).eps(eps)); }

ClipEncoder::ClipEncoder(const ClipEncoderOptions& options) : layers(register_module("layers", nn::ModuleList())) {
  for (int64_t i = 0; i < options.depth; ++i) layers->push_back(ClipLayer(options));
}

Tensor ClipEncoder::forward(Tensor x) {
  for (const auto& layer : *layers) x = layer->as<ClipLayerImpl>()->forward(x);
  return x;
}

void initialize_clip_layers(nn::Module& module, int64_t dim, int64_t depth, const RandomStream& random) {
  const double width = 1 / std::sqrt(static_cast<double>(dim)),
               residual = width / std::sqrt(2 * static_cast<double>(depth));
  for (const auto& item : module.named_modules("", /*include_self=*/false)) {
    const std::string& name = item.key();
    if (auto* linear = item.value()->as<nn::Linear>(); linear != nullptr && linear->bias.defined()) {
      double deviation = residual;
      if (name.ends_with("out_proj")) deviation = width;
      if (name.ends_with("fc1")) deviation = width / std::sqrt(2.0);
      fill_normal(linear->weight, deviation, random.fork(name));
      linear->bias.zero_();
    }
    if (auto* norm = item.value()->as<nn::LayerNorm>()) norm->reset_parameters();
  }
}

}  // namespace freeatm::models
