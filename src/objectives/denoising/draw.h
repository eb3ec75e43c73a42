// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <ATen/core/Tensor.h>

#include "freeatm/core/random.h"

namespace freeatm::objectives {

/// Standard normal numbers, fp32: a function of the stream alone, whatever thread or batch draws them.
at::Tensor draw_normal(at::IntArrayRef shape, RandomStream random);

}  // namespace freeatm::objectives
