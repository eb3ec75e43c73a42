// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <chrono>
#include <cstdint>
#include <string>

namespace freeatm {

/// Progress with rate and time left, on stderr: a bar on a terminal, a line now and then in a file. Work under two
/// seconds stays silent.
class Progress {
 public:
  ///   label: "harvest"; total: how many units in all; unit: "pictures"; done: units of an earlier run, left out of the
  ///   rate
  Progress(std::string label, int64_t total, std::string unit, int64_t done = 0);
  ~Progress();  // ends the bar's line
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;

  /// From one thread. `note` stands behind the numbers: "loss 2.31, waited 0.4%".
  void advance(int64_t units = 1, const std::string& note = "");
  double units_per_second() const;

 private:
  using Clock = std::chrono::steady_clock;
  void draw(bool last);
  std::string label_, unit_, note_;
  int64_t total_, done_, first_;
  Clock::time_point start_, shown_;
  bool terminal_, drawn_ = false;
};

/// 75 -> "1:15", 4000 -> "1:06:40".
std::string clock_text(double seconds);

}  // namespace freeatm
