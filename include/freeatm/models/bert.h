// SPDX-License-Identifier: Apache-2.0
// A text transformer whose last layers may look at a picture.
#pragma once
#include <cstdint>
#include <memory>
#include <vector>

#include <ATen/core/Tensor.h>
#include <torch/nn/module.h>
#include <torch/nn/modules/embedding.h>
#include <torch/nn/modules/linear.h>
#include <torch/nn/modules/normalization.h>
#include <torch/nn/pimpl.h>

#include "freeatm/config/fields.h"

namespace freeatm::models {

/// BERT's shape; the defaults are those of bert-base-uncased. There is no dropout.
struct BertOptions {
  int64_t vocab_size = 30522;  // ids that it knows
  int64_t max_length = 512;    // tokens that it has positions for
  int64_t dim = 768, depth = 12, heads = 12, mlp_dim = 3072;
  int64_t fusion_layers = 0;  // the last so many layers look at the picture, too; 0: a text encoder alone
  int64_t image_dim = 768;    // width of the picture's tokens; whoever builds the model knows it, no config says it
  void fields(config::Fields& f);
};

/// One layer's cross-attention, in the graph: for Grad-CAM, gradients can be taken with respect to it.
struct FusionMap {
  int64_t layer = 0;         // which is wanted, counted from the first fusion layer
  at::Tensor probabilities;  // what `fuse` puts here, [B, heads, N, M]
};

/// What texts are fused with.
struct FusionPictures {
  at::Tensor tokens;  // [B, M, image_dim], all of them seen; or [P, M, image_dim]
  at::Tensor rows;    // [B] int64, and which of the P each text sees: their keys and values are computed once
};

struct BertEmbeddings;
class BertLayer;

/// BERT, Devlin et al. 2019, as ALBEF (Li et al. 2021) splits it: the first depth - fusion_layers layers encode the
/// text, the others see text and picture by cross-attention between self-attention and MLP. Norms stand behind the sums
/// (post-norm), the activation is GELU, token types are 0. Equals transformers' BertModel with bidirectional attention,
/// under its parameter names; without its pooler.
class BertImpl : public torch::nn::Module {
 public:
  explicit BertImpl(const BertOptions& options);

  /// The text layers.
  ///   ids: [B, N] int64, N <= max_length; mask: [B, N] bool, true where there is text and not padding (at least one
  ///   token a text); undefined: everywhere
  /// Returns [B, N, dim].
  at::Tensor encode_text(const at::Tensor& ids, const at::Tensor& mask = {});

  /// The fusion layers.
  ///   tokens: [B, N, dim] from `encode_text`, mask: as there
  ///   map: which layer's probabilities are wanted beside the result; the result is the same but for rounding
  /// Returns [B, N, dim].
  at::Tensor fuse(const at::Tensor& tokens, const at::Tensor& mask, const FusionPictures& pictures,
                  FusionMap* map = nullptr);
  /// The first token of that result, [B, dim], for less: the last layer computes no other.
  at::Tensor fuse_first(const at::Tensor& tokens, const at::Tensor& mask, const FusionPictures& pictures);

  /// Weights normal with deviation .02, biases 0, norms 1 and 0 (BERT's). Each tensor is a function of (seed, its
  /// name).
  void initialize(uint64_t seed);

  const BertOptions& options() const { return options_; }
  /// [vocab_size, dim]: what BertMaskedWords decodes with.
  const at::Tensor& word_embeddings() const;

 private:
  at::Tensor run_fusion(const at::Tensor& tokens, const at::Tensor& mask, const FusionPictures& pictures,
                        FusionMap* map, bool first_alone);
  int64_t text_layers() const { return options_.depth - options_.fusion_layers; }

  BertOptions options_;
  std::shared_ptr<BertEmbeddings> embeddings_;
  std::vector<std::shared_ptr<BertLayer>> layers_;
};
TORCH_MODULE(Bert);

/// BERT's head for hidden words: a linear layer, GELU and a norm, then the word embeddings of the model themselves and
/// a bias for each word. Registered as `cls` beside a Bert called `bert`, parameters have transformers' names.
class BertMaskedWordsImpl : public torch::nn::Module {
 public:
  BertMaskedWordsImpl(int64_t dim, int64_t vocab_size);

  /// hidden: [..., dim]; word_embeddings: [vocab_size, dim]. Returns a logit for each word, [..., vocab_size].
  at::Tensor forward(const at::Tensor& hidden, const at::Tensor& word_embeddings);
  void initialize(uint64_t seed);

 private:
  torch::nn::Linear dense_{nullptr};
  torch::nn::LayerNorm norm_{nullptr};
  at::Tensor bias_;
};
TORCH_MODULE(BertMaskedWords);

}  // namespace freeatm::models
