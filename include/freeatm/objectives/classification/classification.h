// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include <ATen/core/Tensor.h>
#include <torch/nn/modules/linear.h>

#include "freeatm/config/fields.h"
#include "freeatm/data/dataset.h"
#include "freeatm/models/backbone.h"
#include "freeatm/models/image_normalize.h"
#include "freeatm/objectives/classification/erasing.h"
#include "freeatm/objectives/classification/mixup.h"
#include "freeatm/training/objective.h"
#include "freeatm/vision/augment.h"
#include "freeatm/vision/rand_augment.h"

namespace freeatm::objectives {

struct ClassificationOptions {
  std::string loss = "auto";  // "auto" (what the data's labels ask for) | "cross_entropy" | "binary_cross_entropy"
  std::optional<double> min_scale;  // a crop's least area, as a fraction of the picture's
  double label_smoothing = 0;
  double layer_decay = 1;  // each layer learns at this share of the rate of the one behind it; the head at the whole
  double drop_path = 0;    // the last block's; it rises from 0 at the first
  MixOptions mix;
  EraseOptions erase;
  vision::RandAugmentOptions rand_augment;
  vision::AugmentOptions augment{.jitter_probability = 0, .grayscale_probability = 0, .blur_probability = 0};
  void fields(config::Fields& f);

  /// With "auto" replaced: one label a picture is learnt by cross entropy, any number by binary cross entropy. Throws
  /// UserError where the dataset has no labels, or not the kind that `loss` asks for.
  ClassificationOptions settled_for(const data::Dataset& dataset, const std::string& root) const;
  bool is_multi_label() const { return loss == "binary_cross_entropy"; }
};

/// A backbone and one linear layer that tell the classes of a picture.
///   one label:   L = cross_entropy(logits, label); views are random resized crops as torchvision's
///   any number:  L = mean over pictures and classes of binary_cross_entropy(sigmoid(logit), is there); views are crops
///   of the picture's own shape that leave little out, so that the labels stay true
/// Smoothed by s, a label is 1 - s, and s / classes is added to every class's (one label), or s / 2 (any number).
/// Mixed pictures have mixed labels. What is drawn is drawn in `prepare`, from the samples' streams: a mix is that of
/// the batch's first sample. Observed: "accuracy", the share of the batch's pictures that have exactly the labels that
/// were predicted; of mixed ones those of the picture that has the larger share.
class Classification final : public training::Objective {
 public:
  /// All of the backbone is trained, also what its pretraining left fixed.
  ///   options: settled. The head is a function of the seed.
  Classification(std::shared_ptr<models::Backbone> backbone, int64_t classes, const ClassificationOptions& options,
                 uint64_t seed);

  /// "image": bytes [size, size, 3]; "target": the label, or 0 and 1 for each class, float [classes]; where there is
  /// mixing "mix": [6], where there are drop paths "paths": [branches]
  data::View prepare(data::Sample&& sample, RandomStream& random, double progress) const override;
  training::Losses losses(const data::Batch& batch) override;
  /// Layer decay as in BEiT and MAE: layer_decay^(layers - 1 - layer) of the learning rate.
  std::vector<training::ParameterGroup> parameter_groups() override;

  bool is_multi_label() const { return options_.is_multi_label(); }

  /// [B, classes] of whole pictures, without augmentation, on the model's device. With one label pictures are cut to
  /// the square in their middle, with any number squeezed into a square. In evaluation mode a picture's logits do not
  /// depend on the others.
  at::Tensor logits(std::span<const data::Sample> samples);

 private:
  at::Tensor forward(const at::Tensor& pixels, const at::Tensor& mix = {}, const at::Tensor& path_scales = {});
  /// [B, classes], probabilities
  at::Tensor soft_targets(const at::Tensor& target, at::ScalarType dtype, const at::Tensor& mix) const;
  at::Tensor target_of(const data::Sample& sample) const;

  ClassificationOptions options_;
  int64_t classes_;
  std::vector<double> path_rates_;
  models::ImageNormalize normalized_;
  std::shared_ptr<models::Backbone> backbone_;
  torch::nn::Linear head_{nullptr};
};

}  // namespace freeatm::objectives
