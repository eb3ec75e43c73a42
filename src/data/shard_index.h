// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <vector>

#include "shard_file.h"

namespace freeatm::data {

/// The samples of a shard, from SHARD.tar.index where that file knows the tar as it is now. Else from the tar itself,
/// and then the index is written anew; where it cannot be, nothing is said. Throws as index_shard does.
std::vector<IndexedSample> indexed_samples(const ShardFile& file);

}  // namespace freeatm::data
