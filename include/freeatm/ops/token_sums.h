// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cstdint>

#include <ATen/core/Tensor.h>

namespace freeatm::ops {

/// The keys that are summed up, and with what.
struct TokenSums {
  double scale = 1;         // of QK^T
  int64_t first_token = 0;  // as many from it on as the sums have
  double weight = 1;
};

/// sums += weight * the mean over heads of softmax(scale * QK^T) over all keys, of the keys first_token, first_token +
/// 1, ... No map of all heads is ever in memory: on the CPU that of one head at a time, on CUDA (where the program was
/// built for it) not even that.
///   query, key: [rows, heads, N, head_dim], [rows, heads, keys, head_dim], of one type, any strides
///   sums: [rows, N, tokens], fp32, contiguous, on the same device
void add_token_sums(const TokenSums& options, const at::Tensor& query, const at::Tensor& key, const at::Tensor& sums);

/// The same from the map of all heads.
void add_token_sums_reference(const TokenSums& options, const at::Tensor& query, const at::Tensor& key,
                              const at::Tensor& sums);

}  // namespace freeatm::ops
