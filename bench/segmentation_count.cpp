// SPDX-License-Identifier: Apache-2.0
// freeatm_segmentation_count FILE PICTURES SIDE CLASSES REPEATS THREADS: counts the pairs of maps in a file, [pictures,
// 2, side, side] bytes, so many times over; prints the seconds and the mean IoU.
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <mutex>

#include <ATen/Parallel.h>

#include "freeatm/core/files.h"
#include "freeatm/evaluation/segmentation_metrics.h"

int main(int argc, char** argv) {
  using freeatm::evaluation::SegmentationMetrics;
  if (argc != 7) return 2;
  const auto number = [&](int i) { return std::atoll(argv[i]); };
  const int64_t pictures = number(2), side = number(3), classes = number(4), repeats = number(5);
  at::set_num_threads(static_cast<int>(number(6)));
  const std::string bytes = freeatm::read_file(argv[1]);
  std::vector<freeatm::vision::LabelMap> maps;
  for (int64_t i = 0; i < 2 * pictures; ++i) {
    auto& map = maps.emplace_back(static_cast<int>(side), static_cast<int>(side));
    std::copy_n(bytes.data() + i * side * side, side * side, map.labels.data());
  }
  const auto begin = std::chrono::steady_clock::now();
  SegmentationMetrics all(classes, /*boundary=*/false);
  std::mutex mutex;
  at::parallel_for(0, repeats * pictures, 1, [&](int64_t first, int64_t last) {
    SegmentationMetrics part(classes, /*boundary=*/false);
    for (int64_t i = first; i < last; ++i) part.add(maps[2 * (i % pictures)], maps[2 * (i % pictures) + 1]);
    const std::lock_guard lock(mutex);
    all.merge(part);
  });
  const double mean_iou = all.result().mean_iou;
  const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - begin;
  std::printf("%.6f %.12f\n", seconds.count(), mean_iou);
}
