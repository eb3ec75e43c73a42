// SPDX-License-Identifier: Apache-2.0
#include "freeatm/models/backbone.h"

#include <ATen/ATen.h>

namespace freeatm::models {

Features Backbone::features(const at::Tensor& images) {
  const at::Tensor grid = forward_features(images);
  return {grid.mean({2, 3}), grid};
}

bool Backbone::is_decayed(const std::string& /*parameter*/, const at::Tensor& value) const { return value.dim() > 1; }

at::Tensor Backbone::scales_of(int64_t first, int64_t count) const {
  return path_scales_.defined() ? path_scales_.narrow(1, first, count) : at::Tensor();
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
