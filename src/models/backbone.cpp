// SPDX-License-Identifier: Apache-2.0
#include "freeatm/models/backbone.h"

#include <ATen/ATen.h>

namespace freeatm::models {

at::Tensor Backbone::forward(const at::Tensor& images, const at::Tensor& path_scales) {
  return run(images, path_scales, {.pooled = true}).pooled;
}

at::Tensor Backbone::forward_features(const at::Tensor& images, const at::Tensor& path_scales) {
  return run(images, path_scales, {.levels = 1}).levels.back().tensor;
}

Features Backbone::features(const at::Tensor& images, const at::Tensor& path_scales) {
  const Output out = run(images, path_scales, {.pooled = true, .levels = 1});
  return {out.pooled, out.levels.back().tensor};
}

std::vector<FeatureLevel> Backbone::forward_levels(const at::Tensor& images, const at::Tensor& path_scales) {
  return run(images, path_scales, {.levels = levels().size()}).levels;
}

at::Tensor scales_of(const at::Tensor& path_scales, int64_t first, int64_t count) {
  return path_scales.defined() ? path_scales.narrow(1, first, count) : at::Tensor();
}

std::vector<double> rising_rates(int64_t count, double last) {
  std::vector<double> rates(count, 0);
  for (int64_t i = 1; i < count; ++i) rates[i] = last * static_cast<double>(i) / static_cast<double>(count - 1);
  return rates;
}

at::Tensor draw_path_scales(const std::vector<double>& rates, RandomStream random) {
  at::Tensor scales = at::empty({static_cast<int64_t>(rates.size())});
  float* out = scales.data_ptr<float>();
  for (const double rate : rates) *out++ = random.bernoulli(rate) ? 0.0f : static_cast<float>(1 / (1 - rate));
  return scales;
}

}  // namespace freeatm::models
