// SPDX-License-Identifier: Apache-2.0
#include "heartbeat.h"

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <utility>

#include "freeatm/core/log.h"

namespace freeatm::runtime {
namespace {

constexpr auto kPeriod = std::chrono::seconds(1);
constexpr double kStopped = 5;        // a pause of this process itself: the others have not been silent
constexpr double kFirstSteps = 600;   // seconds: nobody knows yet how long a step takes
constexpr double kLongerThanAny = 3;  // times the longest

double seconds_since(std::chrono::steady_clock::time_point then) {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - then).count();
}

// Other threads are in operations that nothing can end, so nothing is unwound. Files appear whole or not at all.
[[noreturn]] void end_process(const std::string& why) {
  log::error("{}", why);
  std::_Exit(1);
}

[[noreturn]] void end_process(const Store& store, const std::string& why) {
  bool first = true;
  try {
    first = tell_failure(store, why);
  } catch (const std::exception&) {  // the store has gone, too
  }
  if (first) end_process(why);
  std::_Exit(1);
}

}  // namespace

Heartbeat::Heartbeat(Store store, Rank rank, double silence)
    : store_(std::move(store)), rank_(rank), silence_(silence), moved_(Clock::now()), answered_(Clock::now()) {
  talker_ = std::thread([this] { talk(); });
  watcher_ = std::thread([this] { watch(); });
}

Heartbeat::~Heartbeat() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  wake_.notify_all();
  talker_.join();
  watcher_.join();
}

void Heartbeat::move() {
  if (in_step_ && !waits_) longest_still_ = std::max(longest_still_, seconds_since(moved_));
  moved_ = Clock::now();
}

void Heartbeat::begin_step() {
  const std::lock_guard lock(mutex_);
  moved_ = Clock::now();
  in_step_ = true;
}

void Heartbeat::end_step() {
  const std::lock_guard lock(mutex_);
  move();
  in_step_ = false;
  ++steps_;
}

void Heartbeat::begin_waiting() {
  const std::lock_guard lock(mutex_);
  move();
  waits_ = true;
}

void Heartbeat::end_waiting() {
  const std::lock_guard lock(mutex_);
  waits_ = false;
  moved_ = Clock::now();
}

bool Heartbeat::stops_within(std::unique_lock<std::mutex>& lock) {
  return wake_.wait_for(lock, kPeriod, [this] { return stopping_; });
}

void Heartbeat::talk() {
  std::unique_lock lock(mutex_);
  for (uint64_t beat = 1; !stops_within(lock); ++beat) {
    lock.unlock();
    std::map<int64_t, std::string> beats;
    try {
      set_text(store_, beat_key(rank_.index), std::to_string(beat));
      for (int64_t other = 0; other < (rank_.index == 0 ? rank_.world : 1); ++other) {
        if (other != rank_.index) beats[other] = text_in(store_, beat_key(other));
      }
    } catch (const std::exception&) {  // the store's process has gone, or cannot be reached
      beats.clear();
    }
    lock.lock();
    if (!beats.empty()) answered_ = Clock::now();
    for (auto& [rank, text] : beats) {
      Heard& heard = heard_.try_emplace(rank, Heard{text, Clock::now()}).first->second;
      if (heard.beat != text) heard = {std::move(text), Clock::now()};
    }
  }
}

void Heartbeat::watch() {
  std::unique_lock lock(mutex_);
  for (auto before = Clock::now(); !stops_within(lock);) {
    if (seconds_since(std::exchange(before, Clock::now())) > kStopped) {
      for (auto& [rank, heard] : heard_) heard.changed = Clock::now();
      moved_ = answered_ = Clock::now();
    }
    end_if_stuck();
    end_if_silent();
  }
}

void Heartbeat::end_if_silent() const {
  if (seconds_since(answered_) > silence_)
    end_process(format("the ranks' meeting place has not answered for {} s (rank_silence)", std::round(silence_)));
  for (const auto& [rank, heard] : heard_) {
    if (seconds_since(heard.changed) > silence_)
      end_process(store_, format("rank {} has been silent for {} s (rank_silence): it hangs, or its machine "
                                 "cannot be reached",
                                 rank, std::round(silence_)));
  }
}

void Heartbeat::end_if_stuck() const {
  if (!in_step_ || waits_) return;
  const double limit =
      steps_ < 2 ? std::max(kFirstSteps, silence_) : std::max(silence_, kLongerThanAny * longest_still_);
  if (seconds_since(moved_) > limit)
    end_process(store_,
                format("rank {} stands still in a step, for {} s (rank_silence)", rank_.index, std::round(limit)));
}

}  // namespace freeatm::runtime
