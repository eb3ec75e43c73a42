// SPDX-License-Identifier: Apache-2.0
#include "draw.h"

#include <ATen/ops/empty.h>

namespace freeatm::objectives {

at::Tensor draw_normal(at::IntArrayRef shape, RandomStream random) {
  at::Tensor out = at::empty(shape, at::kFloat);
  float* data = out.data_ptr<float>();
  for (int64_t i = 0; i < out.numel(); ++i) data[i] = static_cast<float>(random.normal());
  return out;
}

}  // namespace freeatm::objectives
