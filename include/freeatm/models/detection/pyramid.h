// SPDX-License-Identifier: Apache-2.0
// From a backbone's levels to levels of one width, the finest first: what detectors and dense heads take.
#pragma once
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "freeatm/config/fields.h"
#include "freeatm/models/backbone.h"

namespace freeatm::models {

struct PyramidOptions {
  int64_t channels = 256;
  std::string norm = "none";  // behind the convolutions of pyramid and heads: "none" | "batch" | "layer"
  void fields(config::Fields& f);
};

class Pyramid : public torch::nn::Module {
 public:
  /// levels: a backbone's, the finest first. Returns the pyramid's, [B, channels, h, w] each; the last one, every
  /// second cell of the one before, is for region proposals alone.
  virtual std::vector<FeatureLevel> forward(const std::vector<FeatureLevel>& levels) = 0;
  /// What `forward` gives.
  virtual std::vector<LevelShape> levels() const = 0;
  /// First weights, a function of the seed.
  virtual void initialize(uint64_t seed) = 0;
};

/// For a backbone of several levels the feature pyramid network (Lin et al. 2017; torchvision's
/// `FeaturePyramidNetwork` with `LastLevelMaxPool`, and its names) over the deepest level of each stride, strides of 2
/// and more; for a backbone of one level, a plain ViT, the simple pyramid (Li et al. 2022, ViTDet; detectron2's names)
/// of a quarter, a half, once and twice its stride.
std::shared_ptr<Pyramid> make_pyramid(const std::vector<LevelShape>& backbone, const PyramidOptions& options);

}  // namespace freeatm::models
