// SPDX-License-Identifier: Apache-2.0
// sums += weight * mean over heads of softmax(scale * QK^T)[:, tokens]. One head's keys lie in shared memory; a warp
// takes one query at a time, each lane every 32nd key, and keeps the probabilities of its queries in registers until
// the last head: what is written is the sum alone.
#include <cuda_bf16.h>
#include <cuda_fp16.h>
#include <cuda_runtime.h>

#include "token_sums_cuda.h"

namespace freeatm::ops::cuda {
namespace {

constexpr int kLanes = 32;
constexpr int kWarps = 4;
constexpr int kQueriesPerWarp = 8;
constexpr int kKeysPerLane = 4;
constexpr int kMostKeys = kLanes * kKeysPerLane;
constexpr unsigned kAllLanes = 0xffffffffu;

__device__ float as_float(float value) { return value; }
__device__ float as_float(__half value) { return __half2float(value); }
__device__ float as_float(__nv_bfloat16 value) { return __bfloat162float(value); }

__device__ float warp_max(float value) {
  for (int step = kLanes / 2; step > 0; step /= 2) value = fmaxf(value, __shfl_xor_sync(kAllLanes, value, step));
  return value;
}

__device__ float warp_sum(float value) {
  for (int step = kLanes / 2; step > 0; step /= 2) value += __shfl_xor_sync(kAllLanes, value, step);
  return value;
}

// An odd number of floats a key: 32 lanes that read the same place of 32 keys meet 32 banks.
__host__ __device__ int64_t key_pitch(int64_t head_dim) { return head_dim | 1; }

// The softmax over all keys of one query, each lane's share of it added to `total`.
__device__ void add_softmax(const TokenSums& a, const float* keys, const float* query, int lane,
                            float (&total)[kKeysPerLane]) {
  float score[kKeysPerLane], most = -INFINITY;
  for (int k = 0; k < kKeysPerLane; ++k) {
    const int key = lane + k * kLanes;
    score[k] = -INFINITY;
    if (key >= a.keys) continue;
    float dot = 0;
    for (int64_t c = 0; c < a.head_dim; ++c) dot += query[c] * keys[key * key_pitch(a.head_dim) + c];
    score[k] = dot * a.scale;
    most = fmaxf(most, score[k]);
  }
  most = warp_max(most);
  float sum = 0;
  for (float& s : score) sum += s = expf(s - most);
  sum = warp_sum(sum);
  for (int k = 0; k < kKeysPerLane; ++k) total[k] += score[k] / sum;
}

// grid: (queries / (kWarps * kQueriesPerWarp), rows); block: kWarps * kLanes
template <class T>
__global__ void token_sums(TokenSums a) {
  extern __shared__ float shared[];
  const int warp = threadIdx.x / kLanes, lane = threadIdx.x % kLanes;
  const int64_t row = blockIdx.y;
  const int64_t first = (static_cast<int64_t>(blockIdx.x) * kWarps + warp) * kQueriesPerWarp;
  float* keys = shared;                                                        // [keys, key_pitch]
  float* query = shared + a.keys * key_pitch(a.head_dim) + warp * a.head_dim;  // one a warp
  float total[kQueriesPerWarp][kKeysPerLane] = {};

  for (int64_t head = 0; head < a.heads; ++head) {
    const T* head_keys = static_cast<const T*>(a.key) + row * a.key_strides[0] + head * a.key_strides[1];
    const T* head_queries = static_cast<const T*>(a.query) + row * a.query_strides[0] + head * a.query_strides[1];
    __syncthreads();  // nobody reads the last head's keys any more
    for (int64_t i = threadIdx.x; i < a.keys * a.head_dim; i += blockDim.x) {
      const int64_t key = i / a.head_dim, c = i % a.head_dim;
      keys[key * key_pitch(a.head_dim) + c] = as_float(head_keys[key * a.key_strides[2] + c]);
    }
    __syncthreads();
#pragma unroll  // `total` stays in registers only where its index is known
    for (int q = 0; q < kQueriesPerWarp; ++q) {
      if (first + q >= a.queries) continue;
      for (int64_t c = lane; c < a.head_dim; c += kLanes)
        query[c] = as_float(head_queries[(first + q) * a.query_strides[2] + c]);
      __syncwarp();
      add_softmax(a, keys, query, lane, total[q]);
      __syncwarp();
    }
  }

  const float factor = a.weight / static_cast<float>(a.heads);
#pragma unroll
  for (int q = 0; q < kQueriesPerWarp; ++q) {
    if (first + q >= a.queries) continue;
    for (int k = 0; k < kKeysPerLane; ++k) {
      const int64_t token = lane + k * kLanes - a.first_token;
      if (token >= 0 && token < a.tokens)
        a.sums[(row * a.queries + first + q) * a.tokens + token] += factor * total[q][k];
    }
  }
}

template <class T>
bool launch(const TokenSums& a, cudaStream_t stream) {
  const int64_t bytes = (a.keys * key_pitch(a.head_dim) + kWarps * a.head_dim) * static_cast<int64_t>(sizeof(float));
  const bool fits = cudaFuncSetAttribute(token_sums<T>, cudaFuncAttributeMaxDynamicSharedMemorySize,
                                         static_cast<int>(bytes)) == cudaSuccess;
  if (!fits) {
    cudaGetLastError();  // so that nobody else finds it
    return false;
  }
  constexpr int64_t kQueriesPerBlock = kWarps * kQueriesPerWarp;
  const dim3 grid(static_cast<unsigned>((a.queries + kQueriesPerBlock - 1) / kQueriesPerBlock),
                  static_cast<unsigned>(a.rows));
  token_sums<T><<<grid, kWarps * kLanes, static_cast<size_t>(bytes), stream>>>(a);
  return cudaGetLastError() == cudaSuccess;
}

}  // namespace

bool add_token_sums(const TokenSums& arguments, int device, void* stream) {
  if (arguments.keys > kMostKeys || cudaSetDevice(device) != cudaSuccess) return false;
  switch (arguments.type) {
    case Type::kFloat:
      return launch<float>(arguments, static_cast<cudaStream_t>(stream));
    case Type::kHalf:
      return launch<__half>(arguments, static_cast<cudaStream_t>(stream));
    case Type::kBFloat16:
      return launch<__nv_bfloat16>(arguments, static_cast<cudaStream_t>(stream));
  }
  return false;
}

}  // namespace freeatm::ops::cuda
