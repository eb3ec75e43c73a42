// SPDX-License-Identifier: Apache-2.0
// freeatm_coco_read ROOT SPLIT: opens a COCO set in a process of its own; prints the seconds, the peak of its memory,
// MB, and how many pictures there are.
#include <chrono>
#include <cstdio>
#include <fstream>
#include <string>

#include "freeatm/data/dataset.h"

namespace {

/// Of this program alone: getrusage's peak takes over that of who started it.
double peak_megabytes() {
  std::ifstream status("/proc/self/status");
  double kilobytes = 0;
  for (std::string word; status >> word;) {
    if (word == "VmHWM:") status >> kilobytes;
  }
  return kilobytes * 1024 / 1e6;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 3) return 2;
  const auto begin = std::chrono::steady_clock::now();
  const auto dataset = freeatm::data::open_coco(argv[1], argv[2]);
  const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - begin;
  std::printf("%.6f %.3f %ld\n", seconds.count(), peak_megabytes(), static_cast<long>(dataset->size()));
}
