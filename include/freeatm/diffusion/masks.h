// SPDX-License-Identifier: Apache-2.0
// Token maps -> masks of phrases. All that is decided here can be decided anew from stored maps.
#pragma once
#include <cstdint>
#include <vector>

#include <ATen/core/Tensor.h>

#include "freeatm/config/fields.h"
#include "freeatm/text/phrase.h"
#include "freeatm/vision/mask_set.h"

namespace freeatm::diffusion {

struct MaskOptions {
  double threshold = 0.3;  // of the min-max normalised map
  void fields(config::Fields& f);
};

/// The masks of one picture's phrases, in their order. A phrase without tokens (the caption was cut) has an empty map
/// and mask.
struct PhraseMasks {
  at::Tensor normalised;  // [phrases, height, width], fp32 in [0, 1]
  vision::MaskSet masks;  // normalised > threshold
  std::vector<double>
      scores;  // [phrases]: mean of the normalised map inside the mask less outside; 0 where either is empty
};

///   maps: [tokens, h, w] of AttentionHarvester; phrases: their `tokens` index the first dimension; height, width: of
///   the picture
/// Phrase = mean over its tokens, upsampled (bilinear, half-pixel centres), min-max, threshold.
PhraseMasks phrase_masks(const at::Tensor& maps, const std::vector<text::Phrase>& phrases, int64_t height,
                         int64_t width, const MaskOptions& options);

}  // namespace freeatm::diffusion
