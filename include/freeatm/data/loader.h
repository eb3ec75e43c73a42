// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "freeatm/config/fields.h"
#include "freeatm/data/batch.h"
#include "freeatm/data/dataset.h"
#include "freeatm/runtime/rank.h"

namespace freeatm::data {

struct LoaderOptions {
  int64_t batch_size = 64;
  int64_t workers = 1;                    // threads that decode and augment
  int64_t prefetch = 4;                   // batches made ahead; never fewer than there are workers
  int64_t max_bad = 16;                   // samples that cannot be read and are passed over
  std::optional<int64_t> shards_at_once;  // mixed with each other; none: all
  bool shuffle = true;
  bool group_by_aspect = false;    // batches of wide pictures, and of others, where the dataset tells their sizes
  bool drop_last = true;           // training: whole batches only
  bool pin_memory = false;         // batches lie where an accelerator reads them by itself
  runtime::Rank rank;              // of the loaders that share an epoch, each with batch_size samples a step
  void fields(config::Fields& f);  // all but the last five
};

/// Which batch a sample is for.
struct BatchPlace {
  int64_t epoch = 0, step = 0;  // the step of the epoch
  bool operator==(const BatchPlace&) const = default;
};

/// Sample -> View, from any loader thread: a function of its arguments alone.
using Prepare = std::function<View(Sample&&, RandomStream&, const BatchPlace&)>;
/// Views -> Batch, likewise; `keys` are the samples'.
using Collate = std::function<Batch(std::vector<View>&&, const std::vector<std::string>& keys)>;

/// Batches from persistent threads over a bounded ring. A batch is a function of (seed, epoch, step) alone: the same
/// with 1, 2 or 8 workers, which share its samples, and after a resume. The batches of all ranks are together the
/// batch of one with as many times the size. A sample that the dataset refuses (UserError) is named once, and the next
/// one that can be read takes its place; more than max_bad of them, or any other exception, come out of `next`.
class Loader {
 public:
  Loader(const Dataset& dataset, Prepare prepare, const LoaderOptions& options, uint64_t seed,
         Collate collate = data::collate);
  ~Loader();

  int64_t steps_per_epoch() const;

  /// Points the workers at a place; what they had made ahead for another one is dropped.
  void start(int64_t epoch, int64_t step = 0);
  /// The next batch of the epoch, in order; nothing at its end (the workers go on with the next epoch).
  std::optional<Batch> next();
  /// Seconds that `next` has waited for the workers since the loader was made.
  double wait_seconds() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace freeatm::data
