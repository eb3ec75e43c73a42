// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cstdint>

#include "freeatm/models/attention.h"

namespace freeatm::models {

/// sums += weight * the mean over heads of softmax(scale * QK^T), of the call's rows and of the keys first_token,
/// first_token + 1, ... No map of all heads is ever in memory: on the CPU that of one head at a time, on CUDA (where
/// the program was built for it) not even that.
///   sums: [rows, N, tokens], fp32, contiguous, on the call's device
void add_token_probabilities(const AttentionCall& call, int64_t first_token, double weight, const at::Tensor& sums);

}  // namespace freeatm::models
