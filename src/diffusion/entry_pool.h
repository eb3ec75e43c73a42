// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <functional>
#include <future>
#include <mutex>
#include <stop_token>
#include <string>
#include <thread>
#include <vector>

#include "freeatm/data/shards.h"

namespace freeatm::diffusion {

/// A sample as its shard holds it.
struct ShardEntry {
  std::vector<data::Member> members;
  int64_t phrases = 0;
};

/// Makes the entries of a shard in threads of its own and writes them in the order in which they were added: the bytes
/// are the same for any number of threads.
class EntryPool {
 public:
  ///   most: entries that are added and not yet written; `add` waits for the first of them when there are more
  EntryPool(int64_t threads, size_t most, data::ShardWriter& writer);
  /// Waits for what has begun, and drops the rest.
  ~EntryPool();
  EntryPool(const EntryPool&) = delete;
  EntryPool& operator=(const EntryPool&) = delete;

  /// `make` runs in any thread. What it throws comes out of a later `add`, or of `finish`, with the key in front.
  void add(const std::string& key, std::function<ShardEntry()> make);
  /// Writes all that is left. Returns the number of phrases of all entries.
  int64_t finish();

 private:
  struct Pending {
    std::string key;
    std::future<ShardEntry> entry;
  };
  void work(const std::stop_token& stop);
  void write_first();

  data::ShardWriter& writer_;
  size_t most_;
  std::deque<Pending> pending_;
  int64_t phrases_ = 0;
  std::mutex mutex_;
  std::condition_variable_any added_;
  std::deque<std::packaged_task<ShardEntry()>> tasks_;
  std::vector<std::jthread> threads_;
};

}  // namespace freeatm::diffusion
