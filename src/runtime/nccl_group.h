// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <torch/csrc/distributed/c10d/Backend.hpp>

#include "store.h"

namespace freeatm::runtime {
using Group = c10::intrusive_ptr<c10d::Backend>;
}

/// A line of operations on the memory of GPUs, over NCCL; without C++'s decoration, as it is looked up by name.
extern "C" void freeatm_make_nccl_group(const freeatm::runtime::Store& store, int rank, int world,
                                        freeatm::runtime::Group& group);
