// SPDX-License-Identifier: Apache-2.0
// Mixup (Zhang et al. 2018) and CutMix (Yun et al. 2019): each picture of a batch with the one at the mirrored place.
// Equals timm's `Mixup(mode="batch")` for the same draws. A mix is a small tensor that travels with the batch, so
// that no step waits for a GPU to say what was drawn.
#pragma once
#include <cstdint>

#include <ATen/core/Tensor.h>

#include "freeatm/config/fields.h"
#include "freeatm/core/random.h"

namespace freeatm::objectives {

struct MixOptions {
  double mixup = 0;                 // alpha of mixup's Beta(alpha, alpha); 0: none
  double cutmix = 0;                // likewise of CutMix's
  double probability = 1;           // that a batch is mixed
  double switch_probability = 0.5;  // that it is by CutMix, where both may be

  void fields(config::Fields& f);
  bool any() const { return mixup > 0 || cutmix > 0; }
};

/// What is done to a batch: the picture keeps `share` of itself outside of the box, and nothing inside; `label` is its
/// share of the label.
struct Mix {
  double share = 1, label = 1;
  int64_t top = 0, bottom = 0, left = 0, right = 0;  // the box, pixels; its ends are outside of it

  at::Tensor to_tensor() const;  // [6] in this order, fp64
};

/// As timm draws them. A box that the border cuts counts with the area that is left of it.
Mix draw_mix(const MixOptions& options, int64_t height, int64_t width, RandomStream& random);

/// A box of area (1 - share) * height * width around a centre, cut at the borders (timm's `cutmix_bbox_and_lam`).
Mix cut_box(double share, int64_t height, int64_t width, int64_t centre_y, int64_t centre_x);

/// images: [B, C, H, W]; mix: [6] on their device, as `to_tensor` gives it
at::Tensor mixed_images(const at::Tensor& images, const at::Tensor& mix);
/// targets: [B, classes], probabilities
at::Tensor mixed_targets(const at::Tensor& targets, const at::Tensor& mix);

/// A number of the distribution Beta(alpha, alpha): X / (X + Y) of two Gamma(alpha) (Marsaglia & Tsang 2000).
double draw_beta(double alpha, RandomStream& random);

}  // namespace freeatm::objectives
