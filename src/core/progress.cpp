// SPDX-License-Identifier: Apache-2.0
#include "freeatm/core/progress.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <unistd.h>

#include "freeatm/core/format.h"
#include "freeatm/core/log_voice.h"

namespace freeatm {
namespace {

constexpr double kSilentSeconds = 2.0, kBarSeconds = 0.2, kLineSeconds = 15.0;

std::string rate_text(double rate) {
  char buffer[32];
  std::snprintf(buffer, sizeof buffer, rate < 10 ? "%.2f" : rate < 100 ? "%.1f" : "%.0f", rate);
  return buffer;
}

}  // namespace

std::string clock_text(double seconds) {
  const auto total = static_cast<long>(std::lround(std::max(0.0, seconds)));
  char buffer[48];
  if (total >= 3600) {
    std::snprintf(buffer, sizeof buffer, "%ld:%02ld:%02ld", total / 3600, total / 60 % 60, total % 60);
  } else {
    std::snprintf(buffer, sizeof buffer, "%ld:%02ld", total / 60, total % 60);
  }
  return buffer;
}

Progress::Progress(std::string label, int64_t total, std::string unit, int64_t done)
    : label_(std::move(label)),
      unit_(std::move(unit)),
      total_(total),
      done_(done),
      first_(done),
      start_(Clock::now()),
      shown_(start_),
      terminal_(isatty(STDERR_FILENO)) {}

Progress::~Progress() {
  if (drawn_) draw(true);
}

double Progress::units_per_second() const {
  const double seconds = std::chrono::duration<double>(Clock::now() - start_).count();
  return seconds > 0 ? static_cast<double>(done_ - first_) / seconds : 0;
}

void Progress::advance(int64_t units, const std::string& note) {
  done_ += units;
  note_ = note;
  const auto now = Clock::now();
  const double waited = drawn_ ? (terminal_ ? kBarSeconds : kLineSeconds) : kSilentSeconds;
  if (!log::shows(log::Level::kInfo) || std::chrono::duration<double>(now - shown_).count() < waited) return;
  shown_ = now;
  drawn_ = true;
  draw(false);
}

void Progress::draw(bool last) {
  const double rate = units_per_second();
  const double elapsed = std::chrono::duration<double>(Clock::now() - start_).count();
  const double left = rate > 0 ? static_cast<double>(total_ - done_) / rate : 0;
  std::string text = format("{} {}/{} {}, {}/s, {}", label_, done_, total_, unit_, rate_text(rate),
                            last ? "took " + clock_text(elapsed) : clock_text(left) + " left");
  if (!note_.empty()) text += ", " + note_;
  if (!terminal_) return log::info("{}", text);
  constexpr int kWidth = 24;
  const int filled = total_ > 0 ? static_cast<int>(kWidth * std::min(done_, total_) / total_) : kWidth;
  std::fprintf(stderr, "\r\033[K[%s%s] %s%s", std::string(filled, '#').c_str(),
               std::string(kWidth - filled, '.').c_str(), text.c_str(), last ? "\n" : "");
  std::fflush(stderr);
}

}  // namespace freeatm
