// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cstdint>
#include <memory>
#include <vector>

#include "freeatm/models/segmentation/segmenter.h"

namespace freeatm::models {

/// torchvision's `FCNHead` on level `place`; names "0", "1", "4".
std::shared_ptr<DenseHead> fcn_head(const LevelShape& level, size_t place, int64_t channels, int64_t classes,
                                    double dropout);
/// transformers' `UperNetHead`, and its `UperNetFCNHead` of one convolution on level `place`.
std::shared_ptr<DenseHead> upernet_head(const std::vector<LevelShape>& levels, int64_t channels, int64_t classes,
                                        double dropout);
std::shared_ptr<DenseHead> upernet_auxiliary(const LevelShape& level, size_t place, int64_t channels, int64_t classes,
                                             double dropout);
/// Names "bn", "classifier".
std::shared_ptr<DenseHead> linear_head(const LevelShape& level, size_t place, int64_t classes);

/// What `DenseLevels` says.
///   is_scaled: whether a ViT's levels have strides of their own
std::shared_ptr<DenseLevels> dense_levels(Backbone& backbone, bool is_scaled);

}  // namespace freeatm::models
