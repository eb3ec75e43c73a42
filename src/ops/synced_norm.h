// SPDX-License-Identifier: Apache-2.0
// A batch norm whose batch lies on several ranks.
#pragma once
#include <functional>

#include <ATen/core/Tensor.h>
#include <torch/csrc/autograd/custom_function.h>

#include "freeatm/ops/norm_relu.h"

namespace freeatm::ops {

/// Of a batch: fp64 [channels], the variance biased.
struct Moments {
  double rows = 0;
  at::Tensor mean, variance;
};

/// Those of all ranks' batches together (Chan et al. 1979).
Moments over_ranks(const Moments& own, const Gather& gather);

/// `batch_norm` in training, by operators that every device has.
at::Tensor synced_batch_norm(const NormState& norm, const at::Tensor& x);

/// For a backward pass, which keeps numbers and tensors only.
c10::IValue kept(const Gather& gather);
Gather kept_in(const c10::IValue& value);

}  // namespace freeatm::ops
