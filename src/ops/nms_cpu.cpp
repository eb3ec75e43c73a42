// SPDX-License-Identifier: Apache-2.0
// Boxes of one class, best first, lie as five columns: each that stays is compared with all behind it, some vectors at
// a time, and now and then those that are gone are taken out. Classes are independent of each other: threads take them.
#include "nms_cpu.h"

#include <algorithm>
#include <numeric>
#include <type_traits>
#include <unordered_map>

#include "vectorised.h"

namespace freeatm::ops::cpu {
namespace {

template <typename T>
struct Columns {
  std::vector<T> x1, y1, x2, y2, area;
  std::vector<std::conditional_t<sizeof(T) == 4, int32_t, int64_t>> is_gone;  // as wide as T: lanes of equal number
  std::vector<int64_t> rank;                                                  // the place among all boxes, best first

  explicit Columns(size_t size) : x1(size), y1(size), x2(size), y2(size), area(size), is_gone(size), rank(size) {}

  void move(size_t from, size_t to) {
    x1[to] = x1[from], y1[to] = y1[from], x2[to] = x2[from], y2[to] = y2[from];
    area[to] = area[from], rank[to] = rank[from], is_gone[to] = is_gone[from];
  }
};

template <typename T, typename Flag>
FREEATM_INLINED void mark(const T* x1, const T* y1, const T* x2, const T* y2, const T* area, size_t best, size_t size,
                          T threshold, Flag* is_gone) {
  const T left = x1[best], top = y1[best], right = x2[best], bottom = y2[best], own = area[best];
#pragma GCC ivdep
  for (size_t i = best + 1; i < size; ++i) {
    const T width = std::max(T(0), std::min(right, x2[i]) - std::max(left, x1[i]));
    const T height = std::max(T(0), std::min(bottom, y2[i]) - std::max(top, y1[i]));
    const T both = width * height;
    is_gone[i] |= both / (own + area[i] - both) > threshold ? 1 : 0;
  }
}

FREEATM_VECTORISED void mark_overlapping(const float* x1, const float* y1, const float* x2, const float* y2,
                                         const float* area, size_t best, size_t size, float threshold,
                                         int32_t* is_gone) {
  mark(x1, y1, x2, y2, area, best, size, threshold, is_gone);
}

FREEATM_VECTORISED void mark_overlapping(const double* x1, const double* y1, const double* x2, const double* y2,
                                         const double* area, size_t best, size_t size, double threshold,
                                         int64_t* is_gone) {
  mark(x1, y1, x2, y2, area, best, size, threshold, is_gone);
}

/// Of one class: which ranks stay.
template <typename T>
void suppress(Columns<T>& boxes, T threshold, std::vector<uint8_t>& stays) {
  constexpr int kUntilPacked = 32;  // boxes that stay
  size_t size = boxes.rank.size();
  int kept = 0;
  for (size_t i = 0; i < size; ++i) {
    if (boxes.is_gone[i]) continue;
    stays[boxes.rank[i]] = 1;
    mark_overlapping(boxes.x1.data(), boxes.y1.data(), boxes.x2.data(), boxes.y2.data(), boxes.area.data(), i, size,
                     threshold, boxes.is_gone.data());
    if (++kept % kUntilPacked != 0) continue;
    size_t to = i + 1;
    for (size_t from = i + 1; from < size; ++from) {
      if (!boxes.is_gone[from]) boxes.move(from, to++);
    }
    size = to;
  }
}

/// The ranks of each class.
std::vector<std::vector<int64_t>> grouped(const int64_t* order, const int64_t* classes, int64_t size) {
  std::vector<std::vector<int64_t>> groups;
  if (!classes) {
    groups.emplace_back(size);
    std::iota(groups[0].begin(), groups[0].end(), 0);
    return groups;
  }
  std::unordered_map<int64_t, size_t> numbers;
  for (int64_t rank = 0; rank < size; ++rank) {
    const auto [found, is_new] = numbers.try_emplace(classes[order[rank]], groups.size());
    if (is_new) groups.emplace_back();
    groups[found->second].push_back(rank);
  }
  return groups;
}

template <typename T>
std::vector<uint8_t> staying(const T* boxes, const int64_t* order, const int64_t* classes, int64_t size,
                             double iou_threshold) {
  std::vector<uint8_t> stays(static_cast<size_t>(size));
  const auto groups = grouped(order, classes, size);
  const bool is_long = size * size > std::ssize(groups) << 22;  // comparisons: below it, waking threads takes longer
  // Not at::parallel_for: see norm_relu_cpu.cpp.
#pragma omp parallel for schedule(dynamic) if (is_long && groups.size() > 1)
  for (size_t g = 0; g < groups.size(); ++g) {
    Columns<T> columns(groups[g].size());
    for (size_t i = 0; i < groups[g].size(); ++i) {
      const T* box = boxes + order[groups[g][i]] * 4;
      columns.x1[i] = box[0], columns.y1[i] = box[1], columns.x2[i] = box[2], columns.y2[i] = box[3];
      columns.area[i] = (box[2] - box[0]) * (box[3] - box[1]);
      columns.rank[i] = groups[g][i];
    }
    suppress(columns, rounded_down<T>(iou_threshold), stays);
  }
  return stays;
}

}  // namespace

std::vector<int64_t> nms(const at::Tensor& boxes, const at::Tensor& order, const int64_t* classes,
                         double iou_threshold) {
  const auto* ranked = order.const_data_ptr<int64_t>();
  const int64_t size = order.size(0);
  const std::vector<uint8_t> stays = boxes.scalar_type() == at::kDouble
                                         ? staying(boxes.const_data_ptr<double>(), ranked, classes, size, iou_threshold)
                                         : staying(boxes.const_data_ptr<float>(), ranked, classes, size, iou_threshold);
  std::vector<int64_t> kept;
  for (int64_t rank = 0; rank < size; ++rank) {
    if (stays[rank]) kept.push_back(ranked[rank]);
  }
  return kept;
}

}  // namespace freeatm::ops::cpu
