// SPDX-License-Identifier: Apache-2.0
// The interface between token_sums.cpp, which nvcc does not see, and token_sums.cu, which does not see torch.
#pragma once
#include <cstdint>

namespace freeatm::ops::cuda {

enum class Type { kFloat, kHalf, kBFloat16 };

/// Device pointers. Strides are counted in elements, for row, head and position; the last dimension is dense.
struct TokenSums {
  const void* query = nullptr;  // [rows, heads, queries, head_dim]
  const void* key = nullptr;    // [rows, heads, keys, head_dim]
  float* sums = nullptr;        // [rows, queries, tokens], dense
  Type type = Type::kFloat;     // query's and key's
  int64_t rows = 0, heads = 0, queries = 0, keys = 0, head_dim = 0;
  int64_t query_strides[3] = {}, key_strides[3] = {};
  int64_t first_token = 0, tokens = 0;
  float scale = 1, weight = 1;
};

/// Queues the kernel on the stream. False, and nothing done, where it does not fit: more than 128 keys, or one head's
/// keys exceed the shared memory of a block.
///   stream: a cudaStream_t
bool add_token_sums(const TokenSums& arguments, int device, void* stream);

}  // namespace freeatm::ops::cuda
