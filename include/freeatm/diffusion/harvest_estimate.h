// SPDX-License-Identifier: Apache-2.0
// What a harvest would need, before hours are spent: --dry-run.
#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "freeatm/core/memory.h"
#include "freeatm/diffusion/harvest.h"
#include "freeatm/runtime/device_memory.h"

namespace freeatm::diffusion {

struct HarvestEstimate {
  int64_t pictures = 0, pictures_kept = 0, shards_kept = 0;  // in all; of them there already
  int64_t batches = 0;                                       // to make
  int64_t batch = 0;                                         // pictures that were measured
  Rehearsal measured;                                        // of the batch; its pictures are gone
  double masks_seconds = 0;                                  // of the batch, of one thread
  int64_t threads = 1;                                       // that decide masks
  double batch_seconds = 0;                                  // with its masks
  double picture_bytes = 0;                                  // as a shard holds a picture, mean of the batch
  ProcessMemory memory;
  std::optional<runtime::DeviceMemory> device_memory;
  int64_t free_disk = 0;  // of the file system of `out`

  int64_t to_make() const { return pictures - pictures_kept; }
  double seconds() const { return batch == 0 ? 0 : batch_seconds * static_cast<double>(to_make()) / double(batch); }
  double bytes() const { return picture_bytes * static_cast<double>(to_make()); }
  /// A table for the terminal, and one line for each thing that will not fit.
  std::string table() const;
  std::vector<std::string> warnings() const;
};

/// Measures one batch of what run_harvest, or decide_anew, would still have to make. Nothing is written. Throws
/// UserError as they do.
HarvestEstimate estimate_harvest(const HarvestSource& source, const HarvestRunOptions& options, const fs::path& out);
HarvestEstimate estimate_masks(const fs::path& root, const HarvestRunOptions& options, const fs::path& out);

}  // namespace freeatm::diffusion
