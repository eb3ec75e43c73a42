// SPDX-License-Identifier: Apache-2.0
#include "freeatm/data/loader.h"

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <exception>
#include <map>
#include <mutex>
#include <set>
#include <thread>
#include <vector>

#include <ATen/ops/tensor.h>

#include "freeatm/core/error.h"
#include "freeatm/core/log.h"
#include "freeatm/runtime/threads.h"

#include "aspect_order.h"
#include "epoch_order.h"

namespace freeatm::data {
namespace {

constexpr int64_t kChunk = 8;  // samples that a worker takes at once

}  // namespace

/// A batch in the making: workers take its samples from the front, a few at a time; the last one to finish collates.
struct PendingBatch {
  BatchPlace place;
  int64_t size = 0;
  int64_t taken = 0, finished = 0;  // of `size`
  std::vector<View> views;
  std::vector<std::string> keys;
  std::vector<int64_t> indices;
  std::exception_ptr error;
  int64_t failed = 0;  // the sample that `error` is of: the first one's is told
  Batch batch;
  bool is_made = false;
};

struct Loader::State {
  const Dataset& dataset;
  Prepare prepare;
  Collate collate;
  LoaderOptions options;
  uint64_t seed;
  int64_t steps, ahead;
  std::vector<int64_t> shard_sizes;
  std::optional<AspectOrder> aspects;  // where batches have one orientation

  // A ticket is a batch's number since the last `start`: workers open them in order, `next` hands them out in order.
  std::mutex mutex;
  std::condition_variable room, made;
  std::map<int64_t, std::shared_ptr<PendingBatch>> ring;
  std::shared_ptr<PendingBatch> open;  // the one whose samples are being taken
  std::unique_ptr<const EpochOrder> order;
  int64_t order_epoch = -1;
  BatchPlace first;  // the place of ticket 0
  bool started = false;
  int64_t next_ticket = 0;    // to be opened
  int64_t wanted_ticket = 0;  // to be handed out
  int64_t epoch_end = 0;      // the ticket behind the current epoch's last
  bool stopping = false;
  double waited = 0;
  std::mutex bad_mutex;
  std::set<int64_t> bad;  // samples that could not be read
  std::vector<std::thread> workers;

  State(const Dataset& dataset, Prepare prepare, const LoaderOptions& options, uint64_t seed, Collate collate)
      : dataset(dataset),
        prepare(std::move(prepare)),
        collate(std::move(collate)),
        options(options),
        seed(seed),
        ahead(std::max(options.prefetch, options.workers)),
        shard_sizes(dataset.shard_sizes()) {
    FREEATM_CHECK(options.rank.world == 1 || options.drop_last, "ranks share whole batches");
    const int64_t size = dataset.size(), batch = options.batch_size * options.rank.world;
    steps = options.drop_last ? size / batch : (size + batch - 1) / batch;
    if (options.group_by_aspect && size > 0 && dataset.picture_size(0)) group_by_aspect(batch);
    if (steps == 0)
      throw UserError("", "loader.batch_size", "{} is more than the dataset's {} samples{}", batch, size,
                      aspects ? " of one orientation" : "");
  }

  void group_by_aspect(int64_t batch) {
    aspects.emplace(dataset, batch, options.shuffle, options.drop_last, seed);
    steps = aspects->steps();
    if (const int64_t count = aspects->never_seen(); count > 0 && steps > 0) {
      log::warning("{} pictures are of an orientation that fills no batch of {} and are left out", count, batch);
    }
  }

  BatchPlace place(int64_t ticket) const {
    const int64_t step = first.step + ticket;
    return {first.epoch + step / steps, step % steps};
  }

  bool has_work() const { return started && (open || next_ticket < wanted_ticket + ahead); }
  std::vector<int64_t> indices_of(const BatchPlace& at);
  std::shared_ptr<PendingBatch> open_batch();
  void make_views(PendingBatch& batch, int64_t begin, int64_t end);
  void finish(const std::shared_ptr<PendingBatch>& batch);
  Sample read(int64_t index, const RandomStream& random);
  void note_bad(int64_t index, const UserError& error);
  void work();
};

void Loader::State::note_bad(int64_t index, const UserError& error) {
  const std::lock_guard lock(bad_mutex);
  if (!bad.insert(index).second) return;
  if (options.max_bad == 0) throw error;
  if (std::ssize(bad) > options.max_bad) {
    throw UserError("", "loader.max_bad", "{} samples cannot be read, more than {}; the last: {}", bad.size(),
                    options.max_bad, error.what());
  }
  log::warning("{}; passed over (loader.max_bad={})", error.what(), options.max_bad);
}

/// The sample, or where it cannot be read the next one that can: a function of the index, whoever asks.
Sample Loader::State::read(int64_t index, const RandomStream& random) {
  for (int64_t tries = 0;; ++tries) {
    const int64_t place = (index + tries) % dataset.size();
    try {
      RandomStream own = random.fork("dataset");
      return dataset.get(place, own);
    } catch (const UserError& error) {
      note_bad(place, error);
      if (tries + 1 == dataset.size()) throw;
    }
  }
}

/// Of the samples that this rank reads for a batch. The mutex is held.
std::vector<int64_t> Loader::State::indices_of(const BatchPlace& at) {
  if (aspects) {
    const std::vector<int64_t> all = aspects->indices(at.epoch, at.step);  // of all ranks
    const int64_t begin = options.rank.index * options.batch_size;
    return {all.begin() + begin, all.begin() + std::min(begin + options.batch_size, std::ssize(all))};
  }
  if (order_epoch != at.epoch) {
    order = std::make_unique<EpochOrder>(shard_sizes, options.shards_at_once, seed, at.epoch);
    order_epoch = at.epoch;
  }
  const int64_t begin = (at.step * options.rank.world + options.rank.index) * options.batch_size;
  std::vector<int64_t> indices;
  for (int64_t i = begin; i < std::min(begin + options.batch_size, dataset.size()); ++i)
    indices.push_back(options.shuffle ? (*order)[i] : i);
  return indices;
}

/// The next ticket's, with nothing in it yet. The mutex is held.
std::shared_ptr<PendingBatch> Loader::State::open_batch() {
  auto batch = std::make_shared<PendingBatch>();
  batch->place = place(next_ticket);
  batch->indices = indices_of(batch->place);
  batch->size = std::ssize(batch->indices);
  batch->views.resize(batch->size);
  batch->keys.resize(batch->size);
  ring.emplace(next_ticket++, batch);
  return batch;
}

void Loader::State::make_views(PendingBatch& batch, int64_t begin, int64_t end) {
  for (int64_t i = begin; i < end; ++i) {
    const int64_t index = batch.indices[i];
    const RandomStream random(seed, "loader", static_cast<uint64_t>(batch.place.epoch), static_cast<uint64_t>(index));
    RandomStream for_view = random.fork("view");
    Sample sample = read(index, random);
    batch.keys[i] = sample.key;
    batch.views[i] = prepare(std::move(sample), for_view, batch.place);
  }
}

/// All views are there.
void Loader::State::finish(const std::shared_ptr<PendingBatch>& batch) {
  try {
    if (!batch->error) {
      batch->batch = collate(std::move(batch->views), batch->keys);
      batch->batch.tensors["index"] = at::tensor(batch->indices);
      if (options.pin_memory) batch->batch.pin_memory();
    }
  } catch (...) {
    batch->error = std::current_exception();
  }
  const std::lock_guard lock(mutex);
  batch->is_made = true;
  made.notify_all();
}

void Loader::State::work() {
  runtime::compute_alone();  // the training's threads are elsewhere
  std::unique_lock lock(mutex);
  for (;;) {
    room.wait(lock, [&] { return stopping || has_work(); });
    if (stopping) return;
    if (!open) open = open_batch();
    const std::shared_ptr<PendingBatch> batch = open;
    const int64_t begin = batch->taken, end = std::min(begin + kChunk, batch->size);
    batch->taken = end;
    if (end == batch->size) open.reset();
    lock.unlock();
    std::exception_ptr error;
    try {
      make_views(*batch, begin, end);
    } catch (...) {
      error = std::current_exception();
    }
    lock.lock();
    if (error && (!batch->error || begin < batch->failed)) batch->error = error, batch->failed = begin;
    batch->finished += end - begin;
    if (batch->finished < batch->size) continue;
    lock.unlock();
    finish(batch);
    lock.lock();
  }
}

void LoaderOptions::fields(config::Fields& f) {
  f("batch_size", batch_size, "samples a step", config::at_least(1));
  f("workers", workers, "threads that decode and augment", config::free(config::between(1, 256)));
  f("prefetch", prefetch, "batches made ahead; never fewer than workers", config::free(config::between(1, 256)));
  f("max_bad", max_bad, "samples that cannot be read and are passed over; one more ends the run",
    config::free(config::at_least(0)));
  f("shards_at_once", shards_at_once, "shards whose samples are mixed with each other, for slow disks; null: all",
    config::at_least(1));
}

Loader::Loader(const Dataset& dataset, Prepare prepare, const LoaderOptions& options, uint64_t seed, Collate collate)
    : state_(std::make_unique<State>(dataset, std::move(prepare), options, seed, std::move(collate))) {
  runtime::keep_threads();  // whatever the workers do
  for (int64_t i = 0; i < options.workers; ++i) state_->workers.emplace_back([state = state_.get()] { state->work(); });
}

Loader::~Loader() {
  {
    const std::lock_guard lock(state_->mutex);
    state_->stopping = true;
  }
  state_->room.notify_all();
  for (auto& worker : state_->workers) worker.join();
}

int64_t Loader::steps_per_epoch() const { return state_->steps; }

void Loader::start(int64_t epoch, int64_t step) {
  State& s = *state_;
  FREEATM_CHECK(step >= 0 && step <= s.steps, "step {} of {}", step, s.steps);
  const std::lock_guard lock(s.mutex);
  s.epoch_end = s.steps * (epoch - s.first.epoch) + s.steps - s.first.step;  // as a ticket of the running start
  if (!s.started || s.place(s.wanted_ticket) != BatchPlace{epoch, step}) {
    s.started = true;
    s.first = {epoch, step};
    s.next_ticket = s.wanted_ticket = 0;
    s.epoch_end = s.steps - step;
    s.ring.clear();  // workers may still be at some of them, and finish what nobody asks for
    s.open.reset();
  }
  s.room.notify_all();
}

std::optional<Batch> Loader::next() {
  State& s = *state_;
  std::unique_lock lock(s.mutex);
  FREEATM_CHECK(s.started, "start() comes first");
  if (s.wanted_ticket >= s.epoch_end) return std::nullopt;
  const auto begin = std::chrono::steady_clock::now();
  s.made.wait(lock, [&] { return s.ring.contains(s.wanted_ticket) && s.ring.at(s.wanted_ticket)->is_made; });
  s.waited += std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
  const std::shared_ptr<PendingBatch> batch = s.ring.extract(s.wanted_ticket).mapped();
  ++s.wanted_ticket;
  s.room.notify_all();
  if (batch->error) std::rethrow_exception(batch->error);
  return std::move(batch->batch);
}

double Loader::wait_seconds() const {
  const std::lock_guard lock(state_->mutex);
  return state_->waited;
}

}  // namespace freeatm::data
