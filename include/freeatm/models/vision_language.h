// SPDX-License-Identifier: Apache-2.0
// A picture's encoder and a text's, what compares them, and where they are fused.
#pragma once
#include <cstdint>
#include <memory>
#include <string>

#include <ATen/core/Tensor.h>
#include <torch/nn/module.h>
#include <torch/nn/modules/linear.h>
#include <torch/nn/pimpl.h>

#include "freeatm/config/fields.h"
#include "freeatm/models/backbone.h"
#include "freeatm/models/bert.h"
#include "freeatm/models/clip.h"

namespace freeatm::models {

struct TextEncoderOptions {
  std::string name = "bert";  // or "clip"
  int64_t max_length = 48;    // tokens with start and end
  int64_t dim = 128, depth = 4, heads = 4, mlp_dim = 512;
  int64_t fusion_layers = 2;              // bert
  std::string activation = "quick_gelu";  // clip
  double layer_norm_eps = 1e-5;           // clip
  void fields(config::Fields& f);

  /// Whether words are hidden from it, for which it must know one more id where the vocabulary has none for that.
  bool hides_words() const { return fusion_layers > 0; }
};

struct VisionLanguageModelOptions {
  TextEncoderOptions text;
  int64_t dimensions = 64;    // of the embeddings that are compared
  double temperature = 0.07;  // of the contrast, at first

  /// Those of a CLIPModel.
  static VisionLanguageModelOptions of(const ClipConfig& config);
};

/// Two towers, as CLIP (Radford et al. 2021) and ALBEF (Li et al. 2021) have them. Children: "backbone";
/// "text_encoder", a BERT, with "itm_head" and "mlm_head" where it fuses, or "text_model", CLIP's; "visual_projection"
/// and "text_projection", without bias; "logit_scale". But for the backbone these are a CLIPModel's names.
class VisionLanguageModelImpl : public torch::nn::Module {
 public:
  ///   id_count: what the text encoder must know: the tokenizer's vocab_size, or where words are hidden its id_count
  VisionLanguageModelImpl(std::shared_ptr<Backbone> backbone, const VisionLanguageModelOptions& options,
                          int64_t id_count);

  struct Images {
    at::Tensor embedding;  // [B, dimensions], of length 1
    at::Tensor grid;       // [B, channels, h, w]
    at::Tensor tokens;     // [B, 1 + h * w, channels]: pooled, then the grid row by row; what texts are fused with
  };
  /// images: [B, 3, H, W], normalised as all backbones get them.
  Images encode_images(const at::Tensor& images);

  struct Texts {
    at::Tensor embedding;  // [B, dimensions], of length 1: of the first token (BERT) or the end token (CLIP)
    at::Tensor tokens;     // [B, N, dim]
  };
  /// ids: [B, N] int64, start, tokens, end, padding; mask: [B, N] bool, false where there is padding.
  Texts encode_texts(const at::Tensor& ids, const at::Tensor& mask);

  /// Any features of a picture or a text, [..., channels], as embeddings: [..., dimensions], of length 1.
  at::Tensor image_embedding(const at::Tensor& features);
  at::Tensor text_embedding(const at::Tensor& features);
  /// e^logit_scale, 1 / temperature.
  at::Tensor scale() const { return logit_scale_.exp(); }

  /// Whether there are fusion layers; the functions below need them.
  bool fuses() const { return !itm_head_.is_empty(); }
  /// tokens, mask: of texts. Returns [B, N, dim].
  at::Tensor fuse(const at::Tensor& tokens, const at::Tensor& mask, const FusionPictures& pictures,
                  FusionMap* map = nullptr);
  /// Whether texts and pictures match: [B, 2], 1 is "they do".
  at::Tensor itm_logits(const at::Tensor& tokens, const at::Tensor& mask, const FusionPictures& pictures);
  /// The same of what `fuse` gave.
  at::Tensor itm_logits(const at::Tensor& fused) { return itm_head_(fused.select(1, 0)); }
  /// fused: [n, dim], of hidden tokens. Returns [n, ids].
  at::Tensor mlm_logits(const at::Tensor& fused) { return mlm_head_(fused, text_encoder_->word_embeddings()); }

  /// All but the backbone. Each tensor is a function of (seed, its name).
  void initialize(uint64_t seed);
  /// 1 / temperature grows no larger.
  void limit_scale(double most);

  const VisionLanguageModelOptions& options() const { return options_; }
  Backbone& backbone() { return *backbone_; }
  Bert& text_encoder() { return text_encoder_; }
  BertMaskedWords& mlm_head() { return mlm_head_; }

 private:
  VisionLanguageModelOptions options_;
  std::shared_ptr<Backbone> backbone_;
  Bert text_encoder_{nullptr};
  BertMaskedWords mlm_head_{nullptr};
  ClipTextModel text_model_{nullptr};
  torch::nn::Linear visual_projection_{nullptr}, text_projection_{nullptr}, itm_head_{nullptr};
  at::Tensor logit_scale_;
};
TORCH_MODULE(VisionLanguageModel);

}  // namespace freeatm::models
