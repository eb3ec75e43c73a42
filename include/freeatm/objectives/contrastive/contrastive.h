// SPDX-License-Identifier: Apache-2.0
// What MoCo v3, SimCLR and BYOL have in common: two views of a picture, the momentum side, and the loss of regions.
#pragma once
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <ATen/core/Tensor.h>
#include <torch/nn/modules/container/sequential.h>

#include "freeatm/config/fields.h"
#include "freeatm/models/backbone.h"
#include "freeatm/models/image_normalize.h"
#include "freeatm/objectives/contrastive/crops.h"
#include "freeatm/training/ema.h"
#include "freeatm/training/objective.h"
#include "freeatm/vision/augment.h"

namespace freeatm::objectives {

/// Where the second view's chain differs from the first's; none: it does not.
struct SecondViewOptions {
  std::optional<double> blur_probability, solarize_probability;
  void fields(config::Fields& f);
};

struct RegionOptions {
  double weight = 0.5;  // a of (1 - a) L_image + a L_region
  double temperature = 0.1;
  double min_cells = 0.5;  // of the last grid: a region that covers less is left out
  void fields(config::Fields& f);
};

struct ContrastiveOptions {
  int64_t hidden = 512;          // of the heads; MoCo v3: 4096
  int64_t dimensions = 128;      // of the embedding; MoCo v3: 256
  int64_t projector_layers = 2;  // MoCo v3's ViTs: 3
  std::string crops = "random";  // "random" | "mask"
  CropOptions crop;
  std::string background = "keep";  // "keep" | "swap"
  double swap_probability = 0.5;
  std::string regions = "none";  // "none" | "pooled"
  RegionOptions region;
  std::string control = "none";
  bool allow_missing = false;
  std::string augment_on = "loader";  // "loader" | "device"
  vision::AugmentOptions augment;
  SecondViewOptions second_view;
  void fields(config::Fields& f);

  bool needs_masks() const { return crops == "mask" || background == "swap" || regions == "pooled"; }
};

/// A method's loss of one step, before regions.
struct ImageLoss {
  at::Tensor loss;       // scalar
  at::Tensor embedding;  // [B, dimensions] of view 1, of length 1, detached: what collapse is looked for in
};

/// The three methods. Losses: "contrastive", and with regions "regions", both as weighted. Observed:
///   embedding_std     1 when embeddings are spread evenly over the sphere, 0 when they have collapsed
///   effective_rank    of the embeddings' covariance, (sum of eigenvalues)^2 / sum of their squares
///   no_common_thing   share of pairs of which no thing has a quarter of itself in both views
///   mask_pairs, mask_fallbacks   crops: mask: share of pairs around a thing, and of those that fell back
///   regions_per_view  regions: pooled: how many a view has
class Contrastive : public training::Objective {
 public:
  /// "view1", "view2": bytes [size, size, 3]; "pair": how the crops were made (PairKind); "common": 1 or 0, 2 where the
  /// picture has no thing; with regions for each view, ragged, "regions1" [R, h, w], the share that each region has of
  /// each cell, "region_texts1" and "region_numbers1" [R] int64.
  data::View prepare(data::Sample&& sample, RandomStream& random, double progress) const override;
  training::Losses losses(const data::Batch& batch) override;
  training::Counts counts(const data::Batch& batch) const override;  // of the regions that both views have
  /// The momentum side follows: m(progress) * itself + (1 - m(progress)) * the trained one, m from `momentum` to 1.
  void after_step(double progress) override;

 protected:
  /// momentum_backbone: of the same shape, becomes the first's momentum encoder; none: both views are encoded by the
  /// trained one. Heads are functions of the seed.
  Contrastive(std::shared_ptr<models::Backbone> backbone, std::shared_ptr<models::Backbone> momentum_backbone,
              const ContrastiveOptions& options, double momentum, uint64_t seed);

  /// The methods' own part: pooled features [B, channels] of both views on the trained side -> loss.
  ///   targets: the views' features on the momentum side; undefined where there is none
  virtual ImageLoss image_loss(const std::pair<at::Tensor, at::Tensor>& features,
                               const std::pair<at::Tensor, at::Tensor>& targets) = 0;

  /// A head, registered under `name`, with its momentum copy ("momentum_NAME", or an empty one without momentum side).
  struct Heads {
    torch::nn::Sequential trained{nullptr}, momentum{nullptr};
  };
  Heads make_projector(const std::string& name, int64_t in);
  torch::nn::Sequential make_predictor();
  int64_t channels() const { return backbone_->channels(); }
  const ContrastiveOptions& options() const { return options_; }

 private:
  struct Encoded {
    at::Tensor pooled, grid;  // [B, C]; [B, C, h, w] where regions are pooled
  };
  Encoded encode(models::Backbone& backbone, const at::Tensor& images) const;
  training::Scalar region_loss(const data::Batch& batch, const Encoded (&trained)[2], const Encoded (&targets)[2]);
  void observe(const data::Batch& batch, const at::Tensor& embedding, training::Losses& losses) const;

  ContrastiveOptions options_;
  double momentum_;
  uint64_t seed_;
  std::shared_ptr<models::Backbone> backbone_, momentum_backbone_;
  models::ImageNormalize normalized_;
  Heads region_heads_;
  int64_t grid_side_ = 0;  // cells, where regions are pooled
  training::Averages momentum_side_;
};

}  // namespace freeatm::objectives
