// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <memory>
#include <string>

#include "freeatm/runtime/rank.h"

#include "nccl_group.h"

namespace freeatm::runtime {

/// Two lines of operations between ranks: what is begun in one does not wait for what was begun in the other.
struct Lines {
  Group ordered, beside;
};

/// For tensors in the host's memory, over Gloo.
///   address: of the interface that is used; "": any
Lines host_lines(const Store& store, const Rank& rank, const std::string& address);

/// NCCL, as far as this build and this machine have it.
class Nccl {
 public:
  Nccl();
  /// Why it is not to be had, or "".
  const std::string& lack() const { return lack_; }
  /// For tensors on GPUs, each rank's on one of its own.
  Lines lines(const Store& store, const Rank& rank) const;

 private:
  decltype(&freeatm_make_nccl_group) make_ = nullptr;
  std::string lack_;
};

}  // namespace freeatm::runtime
