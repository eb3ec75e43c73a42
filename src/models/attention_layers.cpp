// SPDX-License-Identifier: Apache-2.0
#include "attention_layers.h"

#include <cmath>

#include <ATen/ops/gelu.h>
#include <ATen/ops/scaled_dot_product_attention.h>

#include "linear.h"

namespace freeatm::models {
namespace {

torch::nn::Linear linear(int64_t in, int64_t out, bool bias) {
  return torch::nn::Linear(torch::nn::LinearOptions(in, out).bias(bias));
}

torch::nn::LayerNorm layer_norm(int64_t channels) {
  return torch::nn::LayerNorm(torch::nn::LayerNormOptions({channels}));
}

int64_t transformer_layers(const UNetOptions& options, size_t level) {
  return options.transformer_layers_per_block.empty() ? 1 : options.transformer_layers_per_block[level];
}

}  // namespace

Attention::Attention(int64_t query_dim, int64_t key_dim, int64_t heads, bool qkv_bias)
    : heads_(heads),
      scale_(1 / std::sqrt(static_cast<double>(query_dim / heads))),
      to_q_(register_module("to_q", linear(query_dim, query_dim, qkv_bias))),
      to_k_(register_module("to_k", linear(key_dim, query_dim, qkv_bias))),
      to_v_(register_module("to_v", linear(key_dim, query_dim, qkv_bias))),
      to_out_(register_module("to_out", std::make_shared<ModuleArray<torch::nn::LinearImpl>>())) {
  to_out_->add(torch::nn::LinearOptions(query_dim, query_dim));
  site.heads = heads;
}

at::Tensor Attention::queries(const at::Tensor& states) {
  return fused_linear(*to_q_, states).unflatten(-1, {heads_, -1}).transpose(1, 2);
}

UNetContext::Layer Attention::keys_values(const at::Tensor& states) {
  return {fused_linear(*to_k_, states).unflatten(-1, {heads_, -1}).transpose(1, 2),
          fused_linear(*to_v_, states).unflatten(-1, {heads_, -1}).transpose(1, 2)};
}

at::Tensor Attention::attend(const at::Tensor& query, const UNetContext::Layer& keys) {
  const at::Tensor out = at::scaled_dot_product_attention(query, keys.key, keys.value);
  return fused_linear((*to_out_)[0], out.transpose(1, 2).flatten(2));
}

at::Tensor Attention::forward(const at::Tensor& hidden, int64_t height, int64_t width, const UNetPass& pass) {
  at::Tensor query = queries(hidden);
  const UNetContext::Layer keys = site.is_cross ? pass.context.layers[context_index] : keys_values(hidden);
  // Here the two halves of guidance part: until now they were one.
  const int64_t copies = keys.key.size(0) / query.size(0);
  if (copies > 1) query = query.repeat({copies, 1, 1, 1});
  if (pass.probe) show(query, keys, height, width, pass);
  return attend(query, keys);
}

void Attention::show(const at::Tensor& query, const UNetContext::Layer& keys, int64_t height, int64_t width,
                     const UNetPass& pass) {
  AttentionSite here = site;
  here.height = height, here.width = width;
  if (!pass.probe->wants(here)) return;
  const int64_t first_row = pass.first_row % query.size(0);  // before they part, the rows of all halves are the same
  pass.probe->observe({here, query, keys.key, keys.value, scale_, (*to_out_)[0].weight, first_row, pass.rows});
}

/// x W (value half) * gelu(x W (gate half)), then back to the channels. Names: net.0.proj, net.2.
class GatedMlp : public torch::nn::Module {
 public:
  explicit GatedMlp(int64_t channels) {
    const int64_t inner = 4 * channels;
    auto net = register_module("net", std::make_shared<torch::nn::Module>());
    auto gated = net->register_module("0", std::make_shared<torch::nn::Module>());
    proj_ = gated->register_module("proj", torch::nn::Linear(channels, 2 * inner));
    out_ = net->register_module("2", torch::nn::Linear(inner, channels));
  }

  at::Tensor forward(const at::Tensor& x) {
    auto halves = fused_linear(*proj_, x.flatten(0, 1)).chunk(2, 1);  // [B * h * w, inner] each
    // Where nobody looks back the halves are fresh: no memory for their product.
    const at::Tensor gated =
        at::GradMode::is_enabled() ? halves[0] * at::gelu(halves[1]) : halves[0].mul_(at::gelu_(halves[1]));
    return fused_linear(*out_, gated).view(x.sizes());
  }

 private:
  torch::nn::Linear proj_{nullptr}, out_{nullptr};
};

TransformerBlock::TransformerBlock(int64_t channels, int64_t cross_attention_dim, int64_t heads) {
  norm1_ = register_module("norm1", layer_norm(channels));
  attn1_ = register_module("attn1", std::make_shared<Attention>(channels, channels, heads, /*qkv_bias=*/false));
  norm2_ = register_module("norm2", layer_norm(channels));
  attn2_ =
      register_module("attn2", std::make_shared<Attention>(channels, cross_attention_dim, heads, /*qkv_bias=*/false));
  attn2_->site.is_cross = true;
  norm3_ = register_module("norm3", layer_norm(channels));
  ff_ = register_module("ff", std::make_shared<GatedMlp>(channels));
}

at::Tensor TransformerBlock::forward(at::Tensor hidden, int64_t height, int64_t width, const UNetPass& pass) {
  hidden = attn1_->forward(norm1_(hidden), height, width, pass).add_(hidden);
  hidden = add_rows(attn2_->forward(norm2_(hidden), height, width, pass), hidden);
  return ff_->forward(norm3_(hidden)).add_(hidden);
}

Transformer2D::Transformer2D(const UNetOptions& options, int64_t channels, size_t level) {
  norm_ = register_module("norm", group_norm(options.norm_num_groups, channels, 1e-6));  // whatever norm_eps says
  if (options.use_linear_projection) {
    linear_in_ = register_module("proj_in", torch::nn::Linear(channels, channels));
    linear_out_ = register_module("proj_out", torch::nn::Linear(channels, channels));
  } else {
    conv_in_ = register_module("proj_in", conv1x1(channels, channels));
    conv_out_ = register_module("proj_out", conv1x1(channels, channels));
  }
  transformer_blocks_ = register_module("transformer_blocks", std::make_shared<ModuleArray<TransformerBlock>>());
  for (int64_t i = 0; i < transformer_layers(options, level); ++i) {
    transformer_blocks_->add(channels, options.cross_attention_dim[level], options.heads[level]);
  }
}

at::Tensor Transformer2D::forward(const at::Tensor& x, const UNetPass& pass) {
  const int64_t height = x.size(2), width = x.size(3);
  const auto layout = x.suggest_memory_format();  // with the channels last, both changes of view are free
  const auto to_tokens = [](const at::Tensor& grid) {
    return grid.flatten(2).transpose(1, 2);
  };  // [B, h * w, channels]
  const auto to_grid = [&](const at::Tensor& tokens) { return tokens.transpose(1, 2).unflatten(2, {height, width}); };

  at::Tensor hidden = normalize(*norm_, x);
  hidden =
      conv_in_.is_empty() ? fused_linear(*linear_in_, to_tokens(hidden)) : to_tokens(conv_in_(hidden)).contiguous();
  for (const auto& block : *transformer_blocks_) hidden = block->forward(hidden, height, width, pass);
  hidden = conv_out_.is_empty() ? to_grid(fused_linear(*linear_out_, hidden)).contiguous(layout)
                                : conv_out_(to_grid(hidden).contiguous(layout));
  return add_rows(hidden, x);
}

}  // namespace freeatm::models
