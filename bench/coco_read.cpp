// SPDX-License-Identifier: Apache-2.0
// freeatm_coco_read ROOT SPLIT: opens a COCO set in a process of its own; prints the seconds, the peak of its memory,
// MB, and how many pictures there are.
#include <chrono>
#include <cstdio>

#include "freeatm/core/memory.h"
#include "freeatm/data/dataset.h"

int main(int argc, char** argv) {
  if (argc != 3) return 2;
  const auto begin = std::chrono::steady_clock::now();
  const auto dataset = freeatm::data::open_coco(argv[1], argv[2]);
  const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - begin;
  std::printf("%.6f %.3f %ld\n", seconds.count(), static_cast<double>(freeatm::process_memory().peak) / 1e6,
              static_cast<long>(dataset->size()));
}
