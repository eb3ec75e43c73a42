// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <memory>
#include <optional>

#include <c10/core/Device.h>

#include "freeatm/data/loader.h"

namespace freeatm::training {

struct LoadedBatch {
  data::Batch host, on_device;  // on a CPU the same tensors
};

/// A loader's batches on the device where they are wanted. With an accelerator the next one is copied, on a stream of
/// its own, while the current one is at work: pin the loader's memory (LoaderOptions::pin_memory), or each copy waits.
class DeviceBatches {
 public:
  /// The loader must outlive it.
  DeviceBatches(data::Loader& loader, at::Device device);
  ~DeviceBatches();

  void start(int64_t epoch, int64_t step);
  /// As Loader::next; the current stream waits for the copy, the caller does not.
  std::optional<LoadedBatch> next();
  /// Begins to copy the batch after the one that `next` gave last; to be called when that one's work is queued, for it
  /// waits for the loader. Does nothing on a CPU.
  void copy_ahead();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace freeatm::training
