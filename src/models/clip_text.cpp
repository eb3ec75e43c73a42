// SPDX-License-Identifier: Apache-2.0
#include "freeatm/models/clip_text.h"

#include <nlohmann/json.hpp>
#include <torch/nn.h>

#include "freeatm/core/error.h"
#include "freeatm/core/files.h"
#include "freeatm/models/model_config.h"
#include "freeatm/weights/load.h"
#include "freeatm/weights/name_map.h"
#include "freeatm/weights/weight_files.h"

#include "linear.h"

namespace freeatm::models {

using at::Tensor;
namespace nn = torch::nn;

ClipTextConfig ClipTextConfig::read(const std::string& path) {
  ModelConfig file(path);
  ClipTextConfig out;
  out.vocab_size = file.positive("vocab_size", out.vocab_size);
  out.hidden_size = file.positive("hidden_size", out.hidden_size);
  out.intermediate_size = file.positive("intermediate_size", out.intermediate_size);
  out.num_hidden_layers = file.positive("num_hidden_layers", out.num_hidden_layers);
  out.num_attention_heads = file.positive("num_attention_heads", out.num_attention_heads);
  out.max_position_embeddings = file.positive("max_position_embeddings", out.max_position_embeddings);
  if (out.hidden_size % out.num_attention_heads != 0) {
    throw UserError(path, "num_attention_heads", "{} does not divide hidden_size {}", out.num_attention_heads,
                    out.hidden_size);
  }
  out.hidden_act = file.text("hidden_act", out.hidden_act);
  if (out.hidden_act != "quick_gelu" && out.hidden_act != "gelu") {
    throw UserError(path, "hidden_act", "'{}' is not quick_gelu or gelu", out.hidden_act);
  }
  out.layer_norm_eps = file.number("layer_norm_eps", out.layer_norm_eps);

  file.fixed("is_decoder", false);
  file.fixed("add_cross_attention", false);
  // The token ids mislead (Stable Diffusion's say 0, 2, 1): the tokenizer's count. projection_dim is
  // CLIPTextModelWithProjection's.
  file.pass_over({"bos_token_id", "eos_token_id", "pad_token_id", "projection_dim"});
  file.pass_over({"_name_or_path", "architectures", "model_type", "dtype", "torch_dtype", "transformers_version"});
  file.pass_over({"attention_dropout", "dropout", "initializer_factor", "initializer_range", "gradient_checkpointing"});
  file.pass_over({"output_attentions", "output_hidden_states", "return_dict", "use_cache", "tie_word_embeddings"});
  file.finish();
  return out;
}

struct ClipTextEmbeddingsImpl : nn::Module {
  explicit ClipTextEmbeddingsImpl(const ClipTextConfig& c)
      : token(register_module("token_embedding", nn::Embedding(c.vocab_size, c.hidden_size))),
        position(register_module("position_embedding", nn::Embedding(c.max_position_embeddings, c.hidden_size))) {}

  // [B, N] -> [B, N, C]
  Tensor forward(const Tensor& input_ids) {
    return token(input_ids) + position->weight.narrow(0, 0, input_ids.size(1));
  }

  nn::Embedding token, position;
};

namespace {

struct ClipAttentionImpl : nn::Module {
  explicit ClipAttentionImpl(const ClipTextConfig& c) : heads(c.num_attention_heads) {
    const auto linear = [&](const char* name) {
      return register_module(name, nn::Linear(c.hidden_size, c.hidden_size));
    };
    q_proj = linear("q_proj");
    k_proj = linear("k_proj");
    v_proj = linear("v_proj");
    out_proj = linear("out_proj");
  }

  // Each token sees itself and those before it.
  Tensor forward(const Tensor& x) {
    const auto split = [&](const Tensor& t) {
      return t.unflatten(2, {heads, -1}).transpose(1, 2);
    };  // [B, heads, N, d]
    const Tensor out = at::scaled_dot_product_attention(
        split(fused_linear(*q_proj, x)), split(fused_linear(*k_proj, x)), split(fused_linear(*v_proj, x)), {},
        /*dropout_p=*/0.0, /*is_causal=*/true);
    return fused_linear(*out_proj, out.transpose(1, 2).flatten(2));
  }

  int64_t heads;
  nn::Linear q_proj{nullptr}, k_proj{nullptr}, v_proj{nullptr}, out_proj{nullptr};
};
TORCH_MODULE(ClipAttention);

struct ClipMlpImpl : nn::Module {
  explicit ClipMlpImpl(const ClipTextConfig& c)
      : quick(c.hidden_act == "quick_gelu"),
        fc1(register_module("fc1", nn::Linear(c.hidden_size, c.intermediate_size))),
        fc2(register_module("fc2", nn::Linear(c.intermediate_size, c.hidden_size))) {}

  Tensor forward(const Tensor& x) {
    const Tensor hidden = fused_linear(*fc1, x);
    return fused_linear(*fc2, quick ? hidden * at::sigmoid(1.702 * hidden) : at::gelu(hidden));
  }

  bool quick;
  nn::Linear fc1, fc2;
};
TORCH_MODULE(ClipMlp);

nn::LayerNorm layer_norm(const ClipTextConfig& c) {
  return nn::LayerNorm(nn::LayerNormOptions({c.hidden_size}).eps(c.layer_norm_eps));
}

struct ClipLayerImpl : nn::Module {
  explicit ClipLayerImpl(const ClipTextConfig& c)
      : layer_norm1(register_module("layer_norm1", layer_norm(c))),
        self_attn(register_module("self_attn", ClipAttention(c))),
        layer_norm2(register_module("layer_norm2", layer_norm(c))),
        mlp(register_module("mlp", ClipMlp(c))) {}

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

struct ClipTextEncoderImpl : nn::Module {
  explicit ClipTextEncoderImpl(const ClipTextConfig& c) : layers(register_module("layers", nn::ModuleList())) {
    for (int64_t i = 0; i < c.num_hidden_layers; ++i) layers->push_back(ClipLayer(c));
  }

  Tensor forward(Tensor x) {
    for (const auto& layer : *layers) x = layer->as<ClipLayerImpl>()->forward(x);
    return x;
  }

  nn::ModuleList layers;
};

ClipTextModelImpl::ClipTextModelImpl(const ClipTextConfig& config)
    : config_(config),
      embeddings_(register_module("embeddings", std::make_shared<ClipTextEmbeddingsImpl>(config))),
      encoder_(register_module("encoder", std::make_shared<ClipTextEncoderImpl>(config))),
      final_layer_norm_(register_module("final_layer_norm", layer_norm(config))) {}

Tensor ClipTextModelImpl::forward(const Tensor& input_ids) {
  FREEATM_CHECK(input_ids.dim() == 2 && input_ids.size(1) <= config_.max_position_embeddings,
                "input_ids are {}, want [B, at most {}]", input_ids.sizes(), config_.max_position_embeddings);
  return final_layer_norm_(encoder_->forward(embeddings_->forward(input_ids)));
}

namespace {

// In doubles: the sizes may be anything.
double least_numbers(const ClipTextConfig& c) {
  const auto hidden = static_cast<double>(c.hidden_size), inner = static_cast<double>(c.intermediate_size);
  const double embeddings = static_cast<double>(c.vocab_size) + static_cast<double>(c.max_position_embeddings);
  return hidden * (embeddings + static_cast<double>(c.num_hidden_layers) * (4 * hidden + 2 * inner));
}

}  // namespace

ClipTextModel load_clip_text(const std::string& folder, at::Device device, at::ScalarType dtype) {
  const fs::path root(folder);
  const ClipTextConfig config = ClipTextConfig::read((root / "config.json").string());

  // Left out: positions 0, 1, 2, ..., which older files hold, and what stands behind this model in
  // CLIPTextModelWithProjection.
  const weights::NameMap names{{{"^text_model\\.", ""}}, {"embeddings\\.position_ids$", "^text_projection\\.weight$"}};
  const auto files = weights::find_weights(root, weights::kTransformersWeights);

  const weights::TensorMap source = names.apply(weights::load_weights(files), files.path);
  weights::require_numbers(source, least_numbers(config), files.path);
  ClipTextModel model(config);
  model->to(device, dtype);
  weights::require_complete(weights::load_into(weights::module_state(*model), source), files.path);
  model->eval();
  return model;
}

}  // namespace freeatm::models
