// SPDX-License-Identifier: Apache-2.0
// What MAE and SimMIM have in common: a view, what is hidden of it, and the loss on what is hidden.
#pragma once
#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include <ATen/core/Tensor.h>

#include "freeatm/config/fields.h"
#include "freeatm/models/image_normalize.h"
#include "freeatm/models/vit.h"
#include "freeatm/objectives/masked/masking.h"
#include "freeatm/training/objective.h"

namespace freeatm::objectives {

/// Pictures for the eye while a run goes on: RUN/previews.
struct ReconstructionsOptions {
  std::optional<int64_t> every = 10;  // epochs, and at the end; nothing: none
  int64_t pictures = 8;
  void fields(config::Fields& f);
};

struct MaskedOptions {
  int64_t size = 64;       // side of the view, pixels
  double min_scale = 0.2;  // of its random resized crop
  double flip_probability = 0.5;
  std::string interpolation = "bicubic";  // "bilinear" | "bicubic"
  std::string augment_on = "loader";      // "loader" | "device"
  MaskingOptions masking;
  int64_t mask_unit = 1;         // patches along a side that are hidden together; SimMIM: 2 of 16 pixels
  double foreground_weight = 1;  // in the loss, of what a thing covers whole
  std::string control = "none";
  bool allow_missing = false;
  ReconstructionsOptions reconstructions;
  void fields(config::Fields& f);

  bool needs_masks() const { return masking.is_guided() || masking.hints > 0 || foreground_weight != 1; }
};

/// The two methods. Loss: "reconstruction". Observed:
///   foreground_hidden   share of things' area that is hidden
///   things_hidden       share of things of which no patch is seen
///   foreground_loss, background_loss   of what is hidden of things, and of the rest
///   lacks_hints         hints: share of pictures that have fewer visible patches than all hints want
class Masked : public training::Objective {
 public:
  /// "image": bytes [size, size, 3]; "hidden": bytes [patches], row by row, the same number in each picture;
  /// "foreground": [patches], the share that things have of each; "things": [2], how many are hidden whole, and how
  /// many there are; "lacks_hints".
  data::View prepare(data::Sample&& sample, RandomStream& random, double progress) const override;
  training::Losses losses(const data::Batch& batch) override;
  training::Counts counts(const data::Batch& batch) const override;

  /// What a picture looks like to the method: for pages and tests.
  struct Reconstruction {
    at::Tensor predicted;  // [B, patches, 3 patch^2], rows, columns, channels: in the method's own units
    at::Tensor target;     // likewise
  };
  virtual Reconstruction reconstruct(const at::Tensor& pixels, const at::Tensor& hidden) = 0;
  /// Predictions or targets as pixels of 0 to 1, [B, patches, 3 patch^2]. Where patches are normalised by their own
  /// mean and deviation, those of the true `pixels`, bytes [B, size, size, 3], are taken back.
  virtual at::Tensor as_unit(const at::Tensor& values, const at::Tensor& pixels) = 0;
  /// What is predicted, as a picture: [B, size, size, 3], of 0 to 1 but for the model's error.
  at::Tensor predicted_pixels(const at::Tensor& pixels, const at::Tensor& hidden);
  /// Values of each patch in the order row, column, channel: [B, 3, S, S] -> [B, patches, 3 patch^2].
  at::Tensor patchified(const at::Tensor& images) const;
  /// Patches along a side of the view.
  int64_t grid_side() const { return options_.size / patch_; }
  int64_t patch_size() const { return patch_; }
  /// So many of each picture are hidden.
  int64_t hidden_patches() const { return hidden_cells_ * options_.mask_unit * options_.mask_unit; }

 protected:
  /// Throws UserError where the backbone is no ViT, or where the options do not fit its patches.
  Masked(std::shared_ptr<models::Backbone> backbone, const MaskedOptions& options);

  /// Of each patch, [B, patches], in the target's precision.
  virtual at::Tensor patch_losses(const Reconstruction& both) const = 0;
  models::ViT& backbone() { return *backbone_; }
  at::Tensor normalized(const at::Tensor& pixels);
  /// values: [..., 3 n], channels last, with ImageNet's mean and deviation; returns them of 0 to 1.
  static at::Tensor denormalized(const at::Tensor& values);
  const MaskedOptions& options() const { return options_; }

 private:
  /// Whether a picture's hidden patches may all have weight 0.
  bool may_weigh_nothing() const { return options_.foreground_weight == 0; }

  MaskedOptions options_;
  std::shared_ptr<models::ViT> backbone_;
  models::ImageNormalize normalize_;
  int64_t patch_, hidden_cells_;  // hidden_cells: units of mask_unit x mask_unit patches
};

}  // namespace freeatm::objectives
