// SPDX-License-Identifier: Apache-2.0
// A backbone and a head that tells the class of every pixel.
#pragma once
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <ATen/core/Tensor.h>
#include <torch/nn/module.h>

#include "freeatm/config/fields.h"
#include "freeatm/models/backbone.h"

namespace freeatm::models {

struct SegmenterOptions {
  std::string head = "upernet";     // "fcn" | "upernet" | "linear"
  std::optional<int64_t> channels;  // of the head; none: 512 in upernet, a quarter of the features' in fcn
  double dropout = 0.1;             // before the last convolution
  bool auxiliary = true;            // a second, small head of fcn and upernet on the last level but one
  int64_t auxiliary_channels = 256;
  void fields(config::Fields& f);
};

/// From a backbone's levels, the finest first, to logits on the grid of one of them, [B, classes, h, w].
///   dropout_seeds: [B] int64, each sample's; undefined: nothing is dropped
class DenseHead : public torch::nn::Module {
 public:
  virtual at::Tensor forward(const std::vector<at::Tensor>& levels, const at::Tensor& dropout_seeds) = 0;
};

/// The levels that dense heads take of a backbone. A ResNet's are its stages'. A plain ViT's are those behind a third,
/// a half, two thirds and all of its blocks, without the final norm: as MAE's and BEiT's authors segment (blocks 4, 6,
/// 8 and 12 of 12), and for UPerNet at a quarter, a half, once and twice the stride of the patches (mmsegmentation's
/// `Feature2Pyramid`: transposed convolutions and a max-pool).
class DenseLevels : public torch::nn::Module {
 public:
  virtual std::vector<at::Tensor> forward(Backbone& backbone, const at::Tensor& images,
                                          const at::Tensor& path_scales) = 0;
  virtual std::vector<LevelShape> levels() const = 0;
};

/// fcn: Long et al. 2015, torchvision's `FCN` and its names: a 3x3 convolution and a 1x1 on the last level.
/// upernet: Xiao et al. 2018, transformers' `UperNetForSemanticSegmentation` and its names: pyramid pooling of the last
/// level, a feature pyramid over all. linear: a norm and one 1x1 convolution on the last level.
class Segmenter final : public torch::nn::Module {
 public:
  /// First weights beside the backbone's are a function of the seed.
  Segmenter(std::shared_ptr<Backbone> backbone, int64_t classes, const SegmenterOptions& options, uint64_t seed);

  struct Logits {
    at::Tensor out, auxiliary;  // [B, classes, H, W]; the second in training alone, and where there is such a head
  };
  /// images: [B, 3, H, W], normalised; path_scales: as a backbone takes them; dropout_seeds: as a head does, in
  /// training alone. Bilinear from the head's grid.
  Logits forward(const at::Tensor& images, const at::Tensor& path_scales = {}, const at::Tensor& dropout_seeds = {});

  Backbone& backbone() { return *backbone_; }
  int64_t classes() const { return classes_; }
  bool has_auxiliary() const { return auxiliary_ != nullptr; }

 private:
  int64_t classes_;
  std::shared_ptr<Backbone> backbone_;
  std::shared_ptr<DenseLevels> neck_;
  std::shared_ptr<DenseHead> head_, auxiliary_;
};

}  // namespace freeatm::models
