// SPDX-License-Identifier: Apache-2.0
// A whole CLIP: both towers and what compares them.
#pragma once
#include <cstdint>
#include <memory>
#include <string>

#include <c10/core/Device.h>
#include <torch/nn/modules/linear.h>
#include <torch/nn/pimpl.h>

#include "freeatm/models/clip_text.h"
#include "freeatm/models/clip_vision.h"

namespace freeatm::models {

/// A CLIPModel's config.json. Missing keys have transformers' defaults; each tower has its own activation.
struct ClipConfig {
  ClipVisionOptions vision{.patch_size = 32};
  ClipTextConfig text;
  int64_t eos_token_id = 49407;  // where a text's features are taken; 2, of old files: at its largest id
  int64_t projection_dim = 512;
  double logit_scale_init_value = 2.6592;

  /// Throws UserError(path, key, ...).
  static ClipConfig read(const std::string& path);
  /// As transformers reads it.
  std::string json() const;
};

/// CLIP, Radford et al. 2021: equals transformers' `CLIPModel` without padding masks (texts are padded behind their
/// end), under its parameter names.
class ClipImpl : public torch::nn::Module {
 public:
  explicit ClipImpl(const ClipConfig& config);

  /// pixels: [B, 3, H, W], normalised with CLIP's own mean and deviation. Returns [B, projection_dim], of length 1.
  at::Tensor image_features(const at::Tensor& pixels);
  /// ids: [B, N] int64, each with an end token. Returns [B, projection_dim], of length 1.
  at::Tensor text_features(const at::Tensor& ids);
  /// e^logit_scale: what similarities are multiplied by, a scalar.
  at::Tensor scale() const { return logit_scale_.exp(); }
  /// transformers' logits_per_image, [images, texts].
  at::Tensor logits(const at::Tensor& image_features, const at::Tensor& text_features) const;

  /// CLIP's first weights; logit_scale as the config says. Each tensor is a function of (seed, its name).
  void initialize(uint64_t seed);

  const ClipConfig& config() const { return config_; }
  ClipVision& vision() { return *vision_; }
  ClipTextModel text() { return text_; }

 private:
  ClipConfig config_;
  std::shared_ptr<ClipVision> vision_;
  ClipTextModel text_{nullptr};
  torch::nn::Linear visual_projection_{nullptr}, text_projection_{nullptr};
  at::Tensor logit_scale_;
};
TORCH_MODULE(Clip);

/// A folder of CLIPModel's save_pretrained: config.json and model.safetensors or pytorch_model.bin, in evaluation mode.
/// Throws UserError.
Clip load_clip(const std::string& folder, at::Device device, at::ScalarType dtype);

/// Writes config.json and model.safetensors into a folder that is there: `load_clip` and transformers read them.
/// Tokenizer and preprocessor are not the model's.
void save_clip(const ClipImpl& model, const std::string& folder);

}  // namespace freeatm::models
