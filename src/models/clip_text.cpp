// SPDX-License-Identifier: Apache-2.0
#include "freeatm/models/clip_text.h"

#include <nlohmann/json.hpp>
#include <torch/nn.h>

#include "freeatm/core/error.h"
#include "freeatm/core/files.h"
#include "freeatm/models/initialize.h"
#include "freeatm/models/model_config.h"
#include "freeatm/weights/load.h"
#include "freeatm/weights/name_map.h"
#include "freeatm/weights/weight_files.h"

#include "clip_layer.h"

namespace freeatm::models {

using at::Tensor;
namespace nn = torch::nn;

constexpr double kEmbeddingDeviation = 0.02;

ClipTextConfig ClipTextConfig::read(const std::string& path) {
  ModelConfig file(path);
  ClipTextConfig out = read_part(file);
  file.finish();
  return out;
}

ClipTextConfig ClipTextConfig::read_part(ModelConfig& file) {
  const std::string& path = file.path();
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

ClipEncoderOptions encoder_options(const ClipTextConfig& c) {
  return {c.hidden_size,       c.num_hidden_layers, c.num_attention_heads,
          c.intermediate_size, c.hidden_act,        c.layer_norm_eps,
          /*is_causal=*/true};
}

}  // namespace

ClipTextModelImpl::ClipTextModelImpl(const ClipTextConfig& config)
    : config_(config),
      embeddings_(register_module("embeddings", std::make_shared<ClipTextEmbeddingsImpl>(config))),
      encoder_(register_module("encoder", std::make_shared<ClipEncoder>(encoder_options(config)))),
      final_layer_norm_(register_module("final_layer_norm", clip_norm(config.hidden_size, config.layer_norm_eps))) {}

Tensor ClipTextModelImpl::forward(const Tensor& input_ids) {
  FREEATM_CHECK(input_ids.dim() == 2 && input_ids.size(1) <= config_.max_position_embeddings,
                "input_ids are {}, want [B, at most {}]", input_ids.sizes(), config_.max_position_embeddings);
  return final_layer_norm_(encoder_->forward(embeddings_->forward(input_ids)));
}

void ClipTextModelImpl::initialize(const RandomStream& random) {
  const at::NoGradGuard no_grad;
  initialize_clip_layers(*this, config_.hidden_size, config_.num_hidden_layers, random);
  for (const auto& item : named_modules("", /*include_self=*/false)) {
    if (auto* embedding = item.value()->as<nn::Embedding>())
      fill_normal(embedding->weight, kEmbeddingDeviation, random.fork(item.key()));
  }
}

double ClipTextConfig::least_numbers() const {
  const auto hidden = static_cast<double>(hidden_size), inner = static_cast<double>(intermediate_size);
  const double embeddings = static_cast<double>(vocab_size) + static_cast<double>(max_position_embeddings);
  return hidden * (embeddings + static_cast<double>(num_hidden_layers) * (4 * hidden + 2 * inner));
}

ClipTextModel read_clip_text(const std::string& folder) {
  const fs::path root(folder);
  const ClipTextConfig config = ClipTextConfig::read((root / "config.json").string());

  // Left out: positions 0, 1, 2, ..., which older files hold, and what stands behind this model in
  // CLIPTextModelWithProjection.
  const weights::NameMap names{{{"^text_model\\.", ""}}, {"embeddings\\.position_ids$", "^text_projection\\.weight$"}};
  const auto files = weights::find_weights(root, weights::kTransformersWeights);

  const weights::TensorMap source = names.apply(weights::load_weights(files), files.path);
  weights::require_numbers(source, config.least_numbers(), files.path);
  return weights::adopted(source, files.path, [&] { return ClipTextModel(config); });
}

ClipTextModel load_clip_text(const std::string& folder, at::Device device, at::ScalarType dtype, Use use) {
  ClipTextModel model = read_clip_text(folder);
  place(*model, device, dtype, use);
  return model;
}

}  // namespace freeatm::models
