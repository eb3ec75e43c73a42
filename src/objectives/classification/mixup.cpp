// SPDX-License-Identifier: Apache-2.0
#include "freeatm/objectives/classification/mixup.h"

#include <algorithm>
#include <cmath>

#include <ATen/ATen.h>

namespace freeatm::objectives {
namespace {

using at::Tensor;

// The logarithm of a number of the distribution Gamma(alpha, 1): with a small alpha the number itself would be 0.
double draw_log_gamma(double alpha, RandomStream& random) {
  if (alpha < 1) {
    const double above = draw_log_gamma(alpha + 1, random);
    return above + std::log(1 - random.uniform()) / alpha;
  }
  const double d = alpha - 1.0 / 3, c = 1 / std::sqrt(9 * d);
  while (true) {
    const double x = random.normal(), v = std::pow(1 + c * x, 3);
    if (v <= 0) continue;
    if (std::log(1 - random.uniform()) < 0.5 * x * x + d - d * v + d * std::log(v)) return std::log(d * v);
  }
}

// Where a number lies in [low, high): of `place` [n].
Tensor within(const Tensor& place, const Tensor& low, const Tensor& high) {
  return place.ge(low).logical_and(place.lt(high));
}

}  // namespace

void MixOptions::fields(config::Fields& f) {
  f("mixup", mixup, "pictures are blended by a share of Beta(this, this); 0: never", config::between(0, 100));
  f("cutmix", cutmix, "a box of another picture is set in, its share likewise drawn; 0: never",
    config::between(0, 100));
  f("probability", probability, "that a batch is mixed at all", config::between(0, 1));
  f("switch_probability", switch_probability, "that it is by cutmix, where both are on", config::between(0, 1));
}

double draw_beta(double alpha, RandomStream& random) {
  const double x = draw_log_gamma(alpha, random), y = draw_log_gamma(alpha, random);
  return 1 / (1 + std::exp(y - x));
}

Tensor Mix::to_tensor() const {
  return at::tensor({share, label, static_cast<double>(top), static_cast<double>(bottom), static_cast<double>(left),
                     static_cast<double>(right)},
                    at::kDouble);
}

Mix cut_box(double share, int64_t height, int64_t width, int64_t centre_y, int64_t centre_x) {
  const double ratio = std::sqrt(1 - share);
  const auto cut_height = static_cast<int64_t>(static_cast<double>(height) * ratio),
             cut_width = static_cast<int64_t>(static_cast<double>(width) * ratio);
  Mix mix;
  mix.top = std::clamp<int64_t>(centre_y - cut_height / 2, 0, height);
  mix.bottom = std::clamp<int64_t>(centre_y + (cut_height + 1) / 2, 0, height);
  mix.left = std::clamp<int64_t>(centre_x - cut_width / 2, 0, width);
  mix.right = std::clamp<int64_t>(centre_x + (cut_width + 1) / 2, 0, width);
  const int64_t area = (mix.bottom - mix.top) * (mix.right - mix.left);
  mix.label = 1 - static_cast<double>(area) / static_cast<double>(height * width);
  return mix;
}

Mix draw_mix(const MixOptions& options, int64_t height, int64_t width, RandomStream& random) {
  if (!options.any() || !random.bernoulli(options.probability)) return {};
  const bool cuts = options.cutmix > 0 && (options.mixup == 0 || random.bernoulli(options.switch_probability));
  const double share = draw_beta(cuts ? options.cutmix : options.mixup, random);
  if (!cuts) return {.share = share, .label = share};
  const int64_t y = random.integer(height), x = random.integer(width);
  return cut_box(share, height, width, y, x);
}

Tensor mixed_images(const Tensor& images, const Tensor& mix) {
  const auto whole = mix.options().dtype(at::kLong);
  const Tensor rows = within(at::arange(images.size(2), whole), mix[2], mix[3]),
               columns = within(at::arange(images.size(3), whole), mix[4], mix[5]);
  const Tensor inside = rows.unsqueeze(1).logical_and(columns.unsqueeze(0));  // [H, W]
  const Tensor kept = at::where(inside, at::zeros_like(mix[0]), mix[0]).to(images.scalar_type());
  return images * kept + images.flip(0) * (1 - kept);
}

Tensor mixed_targets(const Tensor& targets, const Tensor& mix) {
  const Tensor kept = mix[1].to(targets.scalar_type());
  return targets * kept + targets.flip(0) * (1 - kept);
}

}  // namespace freeatm::objectives
