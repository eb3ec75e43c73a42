// SPDX-License-Identifier: Apache-2.0
#include "freeatm/data/loader.h"

#include <chrono>
#include <condition_variable>
#include <exception>
#include <map>
#include <mutex>
#include <set>
#include <thread>
#include <vector>

#include <ATen/Parallel.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/stack.h>
#include <ATen/ops/tensor.h>

#include "freeatm/core/error.h"
#include "freeatm/core/log.h"

#include "epoch_order.h"

namespace freeatm::data {

struct Loader::State {
  // A batch's place in the run: workers take places in order, `next` hands them out in order.
  struct Place {
    int64_t epoch = 0, step = 0;
  };

  struct Made {
    std::optional<Batch> batch;
    std::exception_ptr error;
  };

  const Dataset& dataset;
  Prepare prepare;
  LoaderOptions options;
  uint64_t seed;
  int64_t total_epochs, steps;
  std::vector<int64_t> shard_sizes;

  std::mutex mutex;
  std::condition_variable room, made;
  std::map<int64_t, Made> ring;  // ticket -> batch
  Place first;                   // the place of ticket 0
  int64_t generation = -1;       // -1: not started; a new one at each `start`
  int64_t next_ticket = 0;       // to be taken by a worker
  int64_t wanted_ticket = 0;     // to be handed out
  int64_t epoch_end = 0;         // the ticket behind the current epoch's last
  bool stopping = false;
  double waited = 0;
  std::mutex bad_mutex;
  std::set<int64_t> bad;  // samples that could not be read
  std::vector<std::thread> workers;

  State(const Dataset& dataset, Prepare prepare, const LoaderOptions& options, uint64_t seed, int64_t total_epochs)
      : dataset(dataset),
        prepare(std::move(prepare)),
        options(options),
        seed(seed),
        total_epochs(total_epochs),
        shard_sizes(dataset.shard_sizes()) {
    const int64_t size = dataset.size(), batch = options.batch_size;
    steps = options.drop_last ? size / batch : (size + batch - 1) / batch;
    if (steps == 0) throw UserError("", "batch_size", "{} is more than the dataset's {} samples", batch, size);
  }

  Place place(int64_t ticket) const {
    const int64_t step = first.step + ticket;
    return {first.epoch + step / steps, step % steps};
  }

  Batch make(const Place& at);
  Sample read(int64_t index, const RandomStream& random);
  void note_bad(int64_t index, const UserError& error);
  void work();
};

void Loader::State::note_bad(int64_t index, const UserError& error) {
  const std::lock_guard lock(bad_mutex);
  if (!bad.insert(index).second) return;
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

Batch Loader::State::make(const Place& at) {
  const int64_t begin = at.step * options.batch_size, end = std::min(begin + options.batch_size, dataset.size());
  const EpochOrder order(shard_sizes, options.shards_at_once, seed, at.epoch);
  const double progress = (static_cast<double>(at.epoch) + static_cast<double>(at.step) / static_cast<double>(steps)) /
                          static_cast<double>(total_epochs);
  std::map<std::string, std::vector<at::Tensor>> columns;
  std::vector<int64_t> indices;
  for (int64_t position = begin; position < end; ++position) {
    const int64_t index = options.shuffle ? order[position] : position;
    const RandomStream random(seed, "loader", static_cast<uint64_t>(at.epoch), static_cast<uint64_t>(index));
    RandomStream for_view = random.fork("view");
    for (auto& [name, tensor] : prepare(read(index, random), for_view, progress))
      columns[name].push_back(std::move(tensor));
    indices.push_back(index);
  }
  Batch batch;
  for (auto& [name, views] : columns) {
    if (!name.starts_with(kRagged)) {
      batch.tensors[name] = at::stack(views);
      continue;
    }
    std::vector<int64_t> rows;
    for (const at::Tensor& view : views) rows.push_back(view.size(0));
    const std::string whole = name.substr(kRagged.size());
    batch.tensors[whole] = at::cat(views);
    batch.tensors[whole + ".rows"] = at::tensor(rows);
  }
  batch.tensors["index"] = at::tensor(indices);
  return batch;
}

void Loader::State::work() {
  at::set_num_threads(1);  // the training's threads are elsewhere
  std::unique_lock lock(mutex);
  for (;;) {
    room.wait(lock, [&] { return stopping || (generation >= 0 && next_ticket < wanted_ticket + options.prefetch); });
    if (stopping) return;
    const int64_t ticket = next_ticket++, started_in = generation;
    const Place at = place(ticket);
    lock.unlock();
    Made result;
    try {
      result.batch = make(at);
    } catch (...) {
      result.error = std::current_exception();
    }
    lock.lock();
    if (started_in != generation) continue;  // made for a place that nobody wants any more
    ring.emplace(ticket, std::move(result));
    made.notify_all();
  }
}

void LoaderOptions::fields(config::Fields& f) {
  f("batch_size", batch_size, "samples a step", config::at_least(1));
  f("workers", workers, "threads that decode and augment", config::between(1, 256));
  f("prefetch", prefetch, "batches made ahead", config::between(1, 256));
  f("max_bad", max_bad, "samples that cannot be read and are passed over; one more ends the run", config::at_least(0));
  f("shards_at_once", shards_at_once, "shards whose samples are mixed with each other, for slow disks; null: all",
    config::at_least(1));
}

Batch Batch::to(const at::Device& device) const {
  Batch moved;
  for (const auto& [name, tensor] : tensors) moved.tensors[name] = tensor.to(device, /*non_blocking=*/true);
  return moved;
}

Loader::Loader(const Dataset& dataset, Prepare prepare, const LoaderOptions& options, uint64_t seed,
               int64_t total_epochs)
    : state_(std::make_unique<State>(dataset, std::move(prepare), options, seed, total_epochs)) {
  at::get_num_threads();  // settles the caller's pool: a worker's set_num_threads(1) is also the default of threads
                          // that have none yet
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
  s.epoch_end = s.steps * (epoch - s.first.epoch) + s.steps - s.first.step;  // as a ticket of the running generation
  const bool continues =
      s.generation >= 0 && s.place(s.wanted_ticket).epoch == epoch && s.place(s.wanted_ticket).step == step;
  if (!continues) {
    ++s.generation;
    s.first = {epoch, step};
    s.next_ticket = s.wanted_ticket = 0;
    s.epoch_end = s.steps - step;
    s.ring.clear();
  }
  s.room.notify_all();
}

std::optional<Batch> Loader::next() {
  State& s = *state_;
  std::unique_lock lock(s.mutex);
  FREEATM_CHECK(s.generation >= 0, "start() comes first");
  if (s.wanted_ticket >= s.epoch_end) return std::nullopt;
  const auto begin = std::chrono::steady_clock::now();
  s.made.wait(lock, [&] { return s.ring.contains(s.wanted_ticket); });
  s.waited += std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
  State::Made result = std::move(s.ring.extract(s.wanted_ticket).mapped());
  ++s.wanted_ticket;
  s.room.notify_all();
  if (result.error) std::rethrow_exception(result.error);
  return std::move(result.batch);
}

double Loader::wait_seconds() const {
  const std::lock_guard lock(state_->mutex);
  return state_->waited;
}

}  // namespace freeatm::data
