// SPDX-License-Identifier: Apache-2.0
// The interface between nms.cpp, which nvcc does not see, and nms.cu, which does not see torch.
#pragma once
#include <cstdint>

namespace freeatm::ops::cuda {

constexpr int64_t kNmsWord = 64;       // boxes a word of `overlaps`
constexpr int64_t kMostBoxes = 65536;  // `overlaps` are then 512 MiB

/// Device pointers, dense; boxes lie best first.
struct Nms {
  const float* boxes = nullptr;      // [size, 4]
  const int64_t* classes = nullptr;  // [size]
  int64_t* overlaps = nullptr;       // [size, words of so many boxes], room to work in
  bool* stays = nullptr;             // [size], the result
  int64_t size = 0;                  // 1 ... kMostBoxes
  float threshold = 0;
};

/// Queues the kernels on the stream; false where they cannot start.
///   stream: a cudaStream_t
bool nms(const Nms& arguments, int device, void* stream);

}  // namespace freeatm::ops::cuda
