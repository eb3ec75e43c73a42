// SPDX-License-Identifier: Apache-2.0
// First all pairs: a bit for each worse box that a box would suppress. Then one block goes through the boxes, a word of
// them at a time: one thread decides who of the word stays, all threads take what these suppress out of the later
// words.
#include <cuda_runtime.h>

#include "nms_cuda.h"

namespace freeatm::ops::cuda {
namespace {

using Word = unsigned long long;

__host__ __device__ int64_t words_of(int64_t size) { return (size + kNmsWord - 1) / kNmsWord; }

// As torchvision rounds it: no sum is contracted with a product.
__device__ bool exceeds(const float* a, const float* b, float threshold) {
  const float width = fmaxf(0.0f, fminf(a[2], b[2]) - fmaxf(a[0], b[0]));
  const float height = fmaxf(0.0f, fminf(a[3], b[3]) - fmaxf(a[1], b[1]));
  const float both = __fmul_rn(width, height);
  const float areas = __fadd_rn(__fmul_rn(a[2] - a[0], a[3] - a[1]), __fmul_rn(b[2] - b[0], b[3] - b[1]));
  return __fdiv_rn(both, __fsub_rn(areas, both)) > threshold;
}

// grid: (words of worse boxes, words of boxes); block: kNmsWord, a box each
__global__ void find_overlaps(Nms a) {
  const int64_t i = blockIdx.y * kNmsWord + threadIdx.x, first = blockIdx.x * kNmsWord;
  if (i >= a.size) return;
  Word word = 0;
  for (int64_t j = first; j < first + kNmsWord && j < a.size; ++j) {
    if (j > i && a.classes[i] == a.classes[j] && exceeds(a.boxes + 4 * i, a.boxes + 4 * j, a.threshold))
      word |= Word{1} << (j - first);
  }
  a.overlaps[i * words_of(a.size) + blockIdx.x] = static_cast<int64_t>(word);
}

// one block
__global__ void choose(Nms a) {
  __shared__ Word gone[kMostBoxes / kNmsWord];
  __shared__ Word kept;
  const int64_t words = words_of(a.size);
  for (int64_t w = threadIdx.x; w < words; w += blockDim.x) gone[w] = 0;
  for (int64_t w = 0; w < words; ++w) {
    const int64_t first = w * kNmsWord, count = a.size - first < kNmsWord ? a.size - first : kNmsWord;
    __syncthreads();
    if (threadIdx.x == 0) {
      Word out = gone[w];
      kept = 0;
      for (int64_t i = 0; i < count; ++i) {
        if (out >> i & 1) continue;
        kept |= Word{1} << i;
        out |= static_cast<Word>(a.overlaps[(first + i) * words + w]);
      }
    }
    __syncthreads();
    if (threadIdx.x < count) a.stays[first + threadIdx.x] = kept >> threadIdx.x & 1;
    for (int64_t later = w + 1 + threadIdx.x; later < words; later += blockDim.x) {
      for (int64_t i = 0; i < count; ++i) {
        if (kept >> i & 1) gone[later] |= static_cast<Word>(a.overlaps[(first + i) * words + later]);
      }
    }
  }
}

}  // namespace

bool nms(const Nms& arguments, int device, void* stream) {
  if (cudaSetDevice(device) != cudaSuccess) return false;
  const auto words = static_cast<unsigned>(words_of(arguments.size));
  find_overlaps<<<dim3(words, words), kNmsWord, 0, static_cast<cudaStream_t>(stream)>>>(arguments);
  choose<<<1, 256, 0, static_cast<cudaStream_t>(stream)>>>(arguments);
  return cudaGetLastError() == cudaSuccess;
}

}  // namespace freeatm::ops::cuda
