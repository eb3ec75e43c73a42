// SPDX-License-Identifier: Apache-2.0
// Captions, captioned pictures or an earlier harvest in, shards of pictures with word-aligned masks out.
#pragma once
#include <memory>
#include <optional>
#include <vector>

#include <c10/core/Device.h>

#include "freeatm/config/fields.h"
#include "freeatm/core/files.h"
#include "freeatm/data/captions.h"
#include "freeatm/data/dataset.h"
#include "freeatm/data/shards.h"
#include "freeatm/diffusion/harvester.h"
#include "freeatm/diffusion/masks.h"
#include "freeatm/diffusion/sampler.h"
#include "freeatm/text/phrase.h"

namespace freeatm::diffusion {

struct HarvestRunOptions {
  std::optional<int64_t> count = 128;         // pictures in all; none: all that there are
  std::optional<int64_t> images_per_caption;  // none: picture i has caption i modulo their number
  int64_t seed = 0;
  int64_t batch_size = 16;
  int64_t shard_size = 128;  // pictures a shard: what a killed harvest loses at most
  int64_t threads = 0;       // that decide masks; 0: one for each core but one
  SamplerOptions sampler;
  HarvestOptions harvest;
  MaskOptions masks;
  void fields(config::Fields& f);

  int64_t thread_count() const;
};

/// A picture with what its attention said, on the CPU. Its one caption's phrases have tokens; regions, where there are
/// any, hold what their dataset knew (`exact`), and no masks yet.
struct Harvested {
  data::Sample sample;
  data::Provenance provenance;
  TokenMaps maps;
};

/// Decides the masks: each phrase of the caption becomes a region. Returns all scores of each; Region::score has the
/// one that the options name.
std::vector<MaskScores> decide(Harvested& picture, const MaskOptions& options);

/// The first pictures of a batch's kind, made with as few passes of the UNet as tell how long a batch takes.
struct Rehearsal {
  std::vector<Harvested> pictures;  // of the size and kind that they will be, but not those
  at::Device device = at::kCPU;
  int64_t passes = 0;                  // of the UNet, of a batch
  double passes_seconds = 0;           // all of them
  const char* autoencoder = "decode";  // or "encode"
  double autoencoder_seconds = 0;
  double seconds = 0;  // a batch, all but its masks
};

/// Where such pictures come from.
class HarvestSource {
 public:
  virtual ~HarvestSource() = default;
  virtual int64_t size() const = 0;
  /// Pictures [begin, end): one call at a time, and cheapest in order.
  virtual std::vector<Harvested> harvest(int64_t begin, int64_t end) const = 0;
  /// How long `harvest` would take; here it is asked.
  virtual Rehearsal rehearse(int64_t begin, int64_t end) const;
};

/// Pictures that the model draws: number i has seed + i and caption i modulo their number, or i / images_per_caption.
/// What is given must outlive it.
std::unique_ptr<HarvestSource> sampled_pictures(const Pipeline& pipeline, const std::vector<text::Caption>& captions,
                                                const text::PhraseFinder& phrases, const HarvestRunOptions& options);

/// Pictures that exist, of any size, encoded and noised to harvest.timesteps, one pass each. They are cropped to the
/// middle of the model's shape and resized to it; masks that their dataset was given become `exact`. They are read and
/// resized by threads, in order. What is given must outlive it.
std::unique_ptr<HarvestSource> given_pictures(const Pipeline& pipeline, const data::Dataset& dataset,
                                              const text::PhraseFinder& phrases, const HarvestRunOptions& options);

/// What a harvest made, or found already made.
struct HarvestSummary {
  int64_t pictures = 0, shards_kept = 0, phrases = 0;
};

/// Throws UserError where `out` holds more pictures than the source has, or its shards are more: a shorter harvest must
/// not eat a longer one. run_harvest and decide_anew ask this first; who claims the folder asks before.
void require_no_fewer(const HarvestSource& source, const HarvestRunOptions& options, const fs::path& out);
void require_no_fewer(const fs::path& root, const fs::path& out);

/// Writes out/shard-NNNNNN.tar. Masks are decided by threads of their own beside the source's work. Shards that are
/// whole already stay as they are, so that a killed run goes on; batches never cross a shard and begin at multiples of
/// batch_size inside it, so that the bytes do not depend on where it was killed, nor on the number of threads.
HarvestSummary run_harvest(const HarvestSource& source, const HarvestRunOptions& options, const fs::path& out);

/// Decides the masks of the shards in `root` anew from their maps, as options.masks says: shards of the same names in
/// `out`.
HarvestSummary decide_anew(const fs::path& root, const HarvestRunOptions& options, const fs::path& out);

}  // namespace freeatm::diffusion
