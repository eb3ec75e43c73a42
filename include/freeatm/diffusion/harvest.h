// SPDX-License-Identifier: Apache-2.0
// Captions in, shards of pictures with word-aligned masks out.
#pragma once
#include <string>
#include <vector>

#include "freeatm/config/fields.h"
#include "freeatm/core/files.h"
#include "freeatm/diffusion/harvester.h"
#include "freeatm/diffusion/masks.h"
#include "freeatm/diffusion/sampler.h"
#include "freeatm/text/phrase.h"

namespace freeatm::diffusion {

struct HarvestRunOptions {
  int64_t count = 128;  // pictures in all; picture i has caption i modulo their number, and seed + i
  int64_t seed = 0;
  int64_t batch_size = 16;
  int64_t shard_size = 128;  // pictures a shard: what a killed harvest loses at most
  SamplerOptions sampler;
  HarvestOptions harvest;
  MaskOptions masks;
  void fields(config::Fields& f);
};

/// What a harvest made, or found already made.
struct HarvestSummary {
  int64_t pictures = 0, shards_kept = 0, phrases = 0;
};

/// Writes out/shard-NNNNNN.tar. Shards that are whole already stay as they are, so that a killed run goes on; batches
/// never cross a shard and begin at multiples of batch_size inside it, so that the bytes do not depend on where it was
/// killed.
HarvestSummary run_harvest(const Pipeline& pipeline, const std::vector<std::string>& captions,
                           const text::Lexicon& lexicon, const HarvestRunOptions& options, const fs::path& out);

}  // namespace freeatm::diffusion
