// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cstdint>

#include <ATen/core/Tensor.h>
#include <torch/nn/module.h>

#include "freeatm/core/random.h"

namespace freeatm::models {

/// First weights of the modules inside of `module` (not of itself): convolutions normal with variance 2 / fan_out (He
/// et al. 2015), linear layers uniform in
/// +-1/sqrt(fan_in), norms 1 and 0. Each tensor is a function of (seed, its name), whatever else the module holds.
void initialize(torch::nn::Module& module, uint64_t seed);

/// Xavier's bound of a uniform draw (Glorot & Bengio 2010): sqrt(6 / (in + out)).
double xavier_bound(int64_t in, int64_t out);

/// A tensor's values from a stream, in the order of their indices: uniform in [-bound, bound), or normal around 0.
void fill_uniform(const at::Tensor& tensor, double bound, const RandomStream& random);
void fill_normal(const at::Tensor& tensor, double deviation, const RandomStream& random);

}  // namespace freeatm::models
