// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cstdint>
#include <span>
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
  std::vector<int64_t> timesteps = {100, 200, 300};  // noise levels at which each picture is looked at
  diffusion::HarvestOptions harvest;                 // scales and blocks; the timesteps are those above
  diffusion::MaskOptions masks;
  void fields(config::Fields& f);
};

/// Do the masks agree with the objects? Pictures with exact masks are noised, looked at once a timestep, and the mask
/// of each thing in their captions is compared with its exact one. Beside it stand what needs no model: a centred
/// square of equal area, the exact mask of another object of the set, and the ceiling, which is the exact masks brought
/// to the grid and back.
class MaskQuality final : public Evaluator {
 public:
  /// The pipeline must outlive it.
  MaskQuality(const diffusion::Pipeline& pipeline, const MaskQualityOptions& options);

  void reset() override;
  /// One batch: all pictures of one size, a multiple of the autoencoder's factor. Throws UserError otherwise.
  void process(std::span<const data::Sample> samples) override;
  /// mean_iou, iou_above_half (share of objects), ceiling_iou, centred_square_iou, other_object_iou, objects, pictures.
  std::vector<Metric> result() override;

 private:
  MaskQualityOptions options_;
  diffusion::Sampler sampler_;
  int64_t factor_;  // pixels per latent along a side
  int64_t pictures_ = 0;
  std::vector<at::Tensor> exact_, found_;  // of each object, [H, W] bool
  std::pair<int64_t, int64_t> grid_{};     // of the maps
};

}  // namespace freeatm::evaluation
