// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cstdint>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include <ATen/core/Tensor.h>

#include "freeatm/config/fields.h"
#include "freeatm/diffusion/harvester.h"
#include "freeatm/diffusion/masks.h"
#include "freeatm/diffusion/sampler.h"
#include "freeatm/evaluation/evaluator.h"

namespace freeatm::evaluation {

struct MaskQualityOptions {
  diffusion::HarvestOptions harvest;  // its timesteps are the noise levels at which each picture is looked at
  diffusion::MaskOptions masks;
  void fields(config::Fields& f);
};

/// Do the masks agree with the objects? Pictures with exact masks are noised, looked at once a timestep, and the mask
/// of each thing in their captions is compared with its exact one. Beside the result stand controls: the masks of
/// another picture (shuffled), those of the same picture's other things (permuted), a centred square of the exact
/// mask's area; and the ceiling, which is the exact masks brought to the grid and back.
class MaskQuality final : public Evaluator {
 public:
  /// The pipeline must outlive it.
  MaskQuality(const diffusion::Pipeline& pipeline, const MaskQualityOptions& options);

  void reset() override;
  /// One batch: all pictures of one size, a multiple of the autoencoder's factor. Throws UserError otherwise.
  void process(std::span<const data::Sample> samples) override;

  /// Means over objects: mean_iou, boundary_f, recall (share with an IoU above a half), ceiling_iou, shuffled_iou,
  /// permuted_iou (where a picture has several), centred_square_iou; objects, pictures; rank_correlation.SCORE of each
  /// score with the IoU (Spearman); iou_by_things.<number of things in the picture>, iou_by_class.<name>: means.
  Metrics result() override;

 private:
  struct Object {
    std::string name;  // the phrase, in lower case
    int64_t picture;
    at::Tensor exact, found;  // [H, W] bool
    diffusion::MaskScores scores;
  };

  MaskQualityOptions options_;
  diffusion::Sampler sampler_;
  int64_t factor_;  // pixels per latent along a side
  int64_t pictures_ = 0;
  std::vector<Object> objects_;
  std::pair<int64_t, int64_t> grid_{};  // of the maps
};

}  // namespace freeatm::evaluation
