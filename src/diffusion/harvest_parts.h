// SPDX-License-Identifier: Apache-2.0
// What a harvest does, for who estimates it.
#pragma once
#include <vector>

#include "freeatm/diffusion/harvest.h"

#include "entry_pool.h"

namespace freeatm::diffusion {

/// The shards of a harvest: those that are there, whole, stay.
struct ShardPlan {
  struct Shard {
    fs::path path;
    int64_t begin, end;  // pictures
  };
  std::vector<Shard> wanted;
  int64_t shards_kept = 0, pictures_kept = 0;
};
/// Throws UserError as require_no_fewer does, and where seeds run out.
ShardPlan plan_shards(const HarvestSource& source, const HarvestRunOptions& options, const fs::path& out);

/// A shard of just `size` samples, of which the first has this key.
bool is_whole(const fs::path& path, const std::string& first_key, int64_t size);

/// source.rehearse(begin, end); where memory runs out, the error is one line with their number.
Rehearsal rehearsed_batch(const HarvestSource& source, int64_t begin, int64_t end);

/// A picture as its shard holds it; its masks are decided here.
ShardEntry entry_of(Harvested& picture, const MaskOptions& options);

/// A sample of a shard with masks decided anew, in two halves: what must be read in order, and what any thread can do.
struct StoredSample {
  data::Sample sample;
  at::Tensor maps;
};
StoredSample stored_sample(const data::ShardReader& shard, const data::IndexedSample& indexed, const fs::path& path);
ShardEntry decided_entry(const data::ShardReader& shard, const data::IndexedSample& indexed, StoredSample& stored,
                         const MaskOptions& options);

/// Throws UserError for masks that shards cannot give.
void require_no_model(const MaskOptions& options);

}  // namespace freeatm::diffusion
