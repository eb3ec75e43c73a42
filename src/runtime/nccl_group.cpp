// SPDX-License-Identifier: Apache-2.0
// All of the library freeatm_nccl, which is opened where ranks have GPUs: it needs CUDA's headers to be compiled, and
// LibTorch's CUDA half to be loaded.
#include "nccl_group.h"

// Both are in LibTorch's own flags, and not in what its headers say.
#define USE_DISTRIBUTED
#define USE_C10D_NCCL
#include <torch/csrc/distributed/c10d/ProcessGroupNCCL.hpp>

void freeatm_make_nccl_group(const freeatm::runtime::Store& store, int rank, int world,
                             freeatm::runtime::Group& group) {
  const auto options = c10d::ProcessGroupNCCL::Options::create();
  options->timeout = freeatm::runtime::kForever;
  group = c10::make_intrusive<c10d::ProcessGroupNCCL>(store, rank, world, options);
}
