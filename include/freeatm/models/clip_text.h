// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include <torch/nn/module.h>
#include <torch/nn/modules/normalization.h>
#include <torch/nn/pimpl.h>

#include "freeatm/core/random.h"
#include "freeatm/models/placement.h"

namespace freeatm::models {

class ModelConfig;

/// A text encoder's config.json; the defaults are transformers'.
struct ClipTextConfig {
  int64_t vocab_size = 49408;
  int64_t hidden_size = 512;
  int64_t intermediate_size = 2048;
  int64_t num_hidden_layers = 12;
  int64_t num_attention_heads = 8;
  int64_t max_position_embeddings = 77;
  std::string hidden_act = "quick_gelu";  // or "gelu"
  double layer_norm_eps = 1e-5;

  /// Throws UserError(path, key, ...).
  static ClipTextConfig read(const std::string& path);
  /// The same of a part of a file, which the caller finishes.
  static ClipTextConfig read_part(ModelConfig& file);
  /// How many numbers such a model has at least; in doubles, since the sizes may be anything.
  double least_numbers() const;
  bool operator==(const ClipTextConfig&) const = default;
};

struct ClipTextEmbeddingsImpl;
struct ClipEncoder;

/// CLIP's text transformer, Radford et al. 2021: equals transformers' `CLIPTextModel(...).last_hidden_state`, under its
/// parameter names.
class ClipTextModelImpl : public torch::nn::Module {
 public:
  explicit ClipTextModelImpl(const ClipTextConfig& config);

  /// input_ids: [B, N] int64, N <= max_position_embeddings. Returns [B, N, hidden_size], after the final norm.
  /// There is no padding mask: as in Stable Diffusion, padding is text.
  at::Tensor forward(const at::Tensor& input_ids);

  /// CLIP's first weights: each tensor is a function of the stream and its name.
  void initialize(const RandomStream& random);

  const ClipTextConfig& config() const { return config_; }

 private:
  ClipTextConfig config_;
  std::shared_ptr<ClipTextEmbeddingsImpl> embeddings_;
  std::shared_ptr<ClipEncoder> encoder_;
  torch::nn::LayerNorm final_layer_norm_{nullptr};
};
TORCH_MODULE(ClipTextModel);

/// A folder with config.json and model.safetensors (or model.fp16.safetensors), in evaluation mode. Keys with and
/// without the older prefix `text_model.` are read, and those of CLIPTextModelWithProjection. Throws UserError.
/// Its weights are what and where the files have them: to be placed.
ClipTextModel read_clip_text(const std::string& folder);
/// The same on a device, in a type.
ClipTextModel load_clip_text(const std::string& folder, at::Device device, at::ScalarType dtype, Use use = Use::kDraw);

}  // namespace freeatm::models
