// SPDX-License-Identifier: Apache-2.0
#include "freeatm/ops/boxes.h"

#include <cmath>

#include <ATen/ATen.h>
#include <ATen/core/grad_mode.h>

#include "freeatm/core/error.h"

namespace freeatm::ops {
namespace {

using at::Tensor;

struct Centred {
  Tensor x, y, width, height;  // [N]
};

Centred centred(const Tensor& boxes) {
  const Tensor x = boxes.select(-1, 0), y = boxes.select(-1, 1);
  const Tensor width = boxes.select(-1, 2) - x, height = boxes.select(-1, 3) - y;
  return {x + 0.5 * width, y + 0.5 * height, width, height};
}

Tensor area_of(const Tensor& boxes) {
  return (boxes.select(-1, 2) - boxes.select(-1, 0)) * (boxes.select(-1, 3) - boxes.select(-1, 1));
}

Tensor computable(const Tensor& boxes) {
  const bool is_wide = boxes.scalar_type() == at::kFloat || boxes.scalar_type() == at::kDouble;
  return is_wide ? boxes : boxes.to(at::kFloat);
}

}  // namespace

Tensor box_iou(const Tensor& first, const Tensor& second) {
  FREEATM_CHECK(first.dim() == 2 && first.size(1) == 4 && second.dim() == 2 && second.size(1) == 4,
                "boxes are {} and {}, want [N, 4] and [M, 4]", first.sizes(), second.sizes());
  const at::NoGradGuard no_grad;
  const Tensor a = computable(first).unsqueeze(1), b = computable(second).unsqueeze(0);
  // [N, M] each
  const auto overlap = [&](int64_t axis) {
    return (at::min(a.select(-1, axis + 2), b.select(-1, axis + 2)) - at::max(a.select(-1, axis), b.select(-1, axis)))
        .clamp_min_(0);
  };
  Tensor both = overlap(0).mul_(overlap(1));
  const Tensor either = (area_of(a) + area_of(b)).sub_(both);
  return both.div_(either).masked_fill_(either == 0, 0);
}

Tensor BoxCoder::encode(const Tensor& references, const Tensor& proposals) const {
  const Centred to = centred(references), from = centred(proposals);
  return at::stack({weights[0] * (to.x - from.x) / from.width, weights[1] * (to.y - from.y) / from.height,
                    weights[2] * at::log(to.width / from.width), weights[3] * at::log(to.height / from.height)},
                   1);
}

Tensor BoxCoder::decode(const Tensor& deltas, const Tensor& proposals) const {
  FREEATM_CHECK(
      deltas.dim() == 2 && deltas.size(1) % 4 == 0 && proposals.sizes() == at::IntArrayRef({deltas.size(0), 4}),
      "deltas are {} for proposals {}, want [N, 4 * K] and [N, 4]", deltas.sizes(), proposals.sizes());
  static const double kMost = std::log(1000.0 / 16);
  const Centred from = centred(proposals.unsqueeze(1));                                     // [N, 1] each
  const Tensor each = computable(deltas).reshape({deltas.size(0), deltas.size(1) / 4, 4});  // [N, K, 4]
  const Tensor x = each.select(2, 0) / weights[0] * from.width + from.x,
               y = each.select(2, 1) / weights[1] * from.height + from.y,
               half_width = 0.5 * (each.select(2, 2) / weights[2]).clamp_max(kMost).exp() * from.width,
               half_height = 0.5 * (each.select(2, 3) / weights[3]).clamp_max(kMost).exp() * from.height;
  return at::stack({x - half_width, y - half_height, x + half_width, y + half_height}, 2);
}

Tensor clip_boxes(const Tensor& boxes, int64_t height, int64_t width) {
  FREEATM_CHECK(boxes.dim() > 0 && boxes.size(-1) == 4, "boxes are {}, want [..., 4]", boxes.sizes());
  const auto clipped = [&](int64_t i, int64_t most) { return boxes.select(-1, i).clamp(0, most); };
  return at::stack({clipped(0, width), clipped(1, height), clipped(2, width), clipped(3, height)}, -1);
}

}  // namespace freeatm::ops
