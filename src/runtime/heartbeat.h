// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <map>
#include <mutex>
#include <string>
#include <thread>

#include "freeatm/runtime/rank.h"

#include "store.h"

namespace freeatm::runtime {

/// Each rank says in the store, once a second, that it is there. Rank 0 looks at all of them, the others at rank 0. Who
/// finds one silent for too long says so and ends its own process: the operation that it waits in has no other end. So
/// does a rank whose training stands still in the middle of a step, longer than any step has taken.
class Heartbeat {
 public:
  ///   store: a connection of its own; silence: seconds
  Heartbeat(Store store, Rank rank, double silence);
  ~Heartbeat();

  /// Between these the training must move: come to the next operation with the others.
  void begin_step();
  void end_step();
  void begin_waiting();
  void end_waiting();

 private:
  using Clock = std::chrono::steady_clock;
  struct Heard {
    std::string beat;
    Clock::time_point changed;
  };
  void talk();
  void watch();
  bool stops_within(std::unique_lock<std::mutex>& lock);
  void end_if_silent() const;
  void end_if_stuck() const;
  void move();

  Store store_;
  Rank rank_;
  double silence_;
  mutable std::mutex mutex_;
  std::condition_variable wake_;
  bool stopping_ = false;
  bool in_step_ = false, waits_ = false;
  int64_t steps_ = 0;
  double longest_still_ = 0;  // seconds, in a step
  Clock::time_point moved_;
  Clock::time_point answered_;  // the store, last
  std::map<int64_t, Heard> heard_;
  std::thread talker_, watcher_;  // the one may wait for the store, for good where a link is cut
};

}  // namespace freeatm::runtime
