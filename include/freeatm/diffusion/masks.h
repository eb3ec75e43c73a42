// SPDX-License-Identifier: Apache-2.0
// Token maps -> masks of phrases. All that is decided here can be decided anew from stored maps, but for refinement by
// self-attention, which is not stored.
#pragma once
#include <cstdint>
#include <string>
#include <vector>

#include <ATen/core/Tensor.h>

#include "freeatm/config/fields.h"
#include "freeatm/diffusion/harvester.h"
#include "freeatm/text/phrase.h"
#include "freeatm/vision/image.h"
#include "freeatm/vision/mask_set.h"

namespace freeatm::diffusion {

struct MaskOptions {
  std::string normalise = "min_max";  // min_max, per_pixel
  std::string refine = "grabcut";     // none, self_attention, iterated, guided_filter, grabcut
  int64_t refine_steps = 1;           // propagations by self-attention; iterations of GrabCut
  int64_t guided_radius = 4;          // pixels
  double guided_epsilon = 1e-3;
  std::string decide = "fixed";  // fixed, otsu, argmax
  double threshold = 0.3;        // of the min-max normalised map
  double background = 0.4;       // what a phrase has to exceed under argmax
  std::string score = "certainty";
  void fields(config::Fields& f);

  bool needs_self_attention() const { return refine == "self_attention" || refine == "iterated"; }
};

/// How sure a mask is, by several formulas; 0 where the mask or what is left of the picture is empty.
struct MaskScores {
  double contrast = 0;    // mean of the normalised map inside the mask less outside
  double certainty = 0;   // mean distance of the normalised map from the threshold
  double peak = 0;        // largest attention that a cell pays to the phrase
  double prominence = 0;  // peak over the mean attention

  static const std::vector<std::string>& names();
  double operator[](const std::string& name) const;
};

/// The masks of one picture's phrases, in their order. A phrase without tokens (the caption was cut) has an empty map
/// and mask.
struct PhraseMasks {
  at::Tensor normalised;  // [phrases, height, width], fp32 in [0, 1]
  vision::MaskSet masks;
  std::vector<MaskScores> scores;  // [phrases]
};

/// What a picture's attention said: of AttentionHarvester.
struct TokenMaps {
  at::Tensor tokens;   // [tokens, h, w]
  SelfAttention self;  // where options.needs_self_attention()
};

/// A phrase's map is the mean over its tokens; normalised, refined and brought to the picture's size (bilinear,
/// half-pixel centres), then min-max once more.
///   normalise: min_max: smallest value 0, largest 1; per_pixel: first divided by the sum over all tokens at each cell
///   refine: self_attention: m <- A m, refine_steps times; iterated: so with the entries of A below 1 / cells removed
///     and min-max before each step (after iSeg, Sun et al. 2024); guided_filter: vision::guided_filter; grabcut: the
///     mask that `decide` found, and its map, start vision::grab_cut
///   decide: fixed: above `threshold`; otsu: above the phrase's own threshold (Otsu 1979, 256 bins); argmax: where the
///     phrase has the largest map of all, and that exceeds `background`
///   phrases: their `tokens` index the first dimension of maps.tokens
PhraseMasks phrase_masks(const TokenMaps& maps, const std::vector<text::Phrase>& phrases, const vision::Image& picture,
                         const MaskOptions& options);

}  // namespace freeatm::diffusion
