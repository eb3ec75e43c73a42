// SPDX-License-Identifier: Apache-2.0
#include "entry_pool.h"

#include <stdexcept>
#include <utility>

#include "freeatm/core/error.h"

namespace freeatm::diffusion {
namespace {

/// The entry, or its error with the sample's name.
ShardEntry made(std::future<ShardEntry>& entry, const std::string& key) {
  try {
    return entry.get();
  } catch (const UserError& error) {
    throw UserError(key, "", "{}", error.what());
  } catch (const std::exception& error) {
    throw std::runtime_error(format("{}: {}", key, error.what()));
  }
}

}  // namespace

EntryPool::EntryPool(int64_t threads, size_t most, data::ShardWriter& writer) : writer_(writer), most_(most) {
  for (int64_t i = 0; i < threads; ++i) {
    threads_.emplace_back([this](const std::stop_token& stop) { work(stop); });
  }
}

EntryPool::~EntryPool() {
  {
    const std::lock_guard lock(mutex_);
    tasks_.clear();
  }
  threads_.clear();
}

void EntryPool::work(const std::stop_token& stop) {
  for (;;) {
    std::packaged_task<ShardEntry()> task;
    {
      std::unique_lock lock(mutex_);
      if (!added_.wait(lock, stop, [&] { return !tasks_.empty(); })) return;
      task = std::move(tasks_.front());
      tasks_.pop_front();
    }
    task();
  }
}

void EntryPool::write_first() {
  Pending first = std::move(pending_.front());
  pending_.pop_front();
  const ShardEntry entry = made(first.entry, first.key);
  writer_.add(first.key, entry.members);
  phrases_ += entry.phrases;
}

void EntryPool::add(const std::string& key, std::function<ShardEntry()> make) {
  std::packaged_task<ShardEntry()> task(std::move(make));
  pending_.push_back({key, task.get_future()});
  {
    const std::lock_guard lock(mutex_);
    tasks_.push_back(std::move(task));
  }
  added_.notify_one();
  while (pending_.size() > most_) write_first();
}

int64_t EntryPool::finish() {
  while (!pending_.empty()) write_first();
  return phrases_;
}

}  // namespace freeatm::diffusion
