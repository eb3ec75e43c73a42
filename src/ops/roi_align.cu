// SPDX-License-Identifier: Apache-2.0
// A thread an element of what is written: a bin's mean, or a place's gradient, which all regions of its picture give in
// their order. So nothing is added atomically, and a run can be repeated.
#include <cuda_runtime.h>

#include "roi_align_cuda.h"

namespace freeatm::ops::cuda {
namespace {

constexpr int kThreads = 256;

/// One side of a region, in the features' pixels.
struct Side {
  float low, bin, points;  // points: a bin
  int64_t size;            // of the features

  __device__ Side(const RoiAlign& a, float from, float to, int64_t bins, int64_t size) : low(from), size(size) {
    bin = (a.aligned ? to - from : fmaxf(to - from, 1.0f)) / static_cast<float>(bins);
    points = a.sampling_ratio > 0 ? static_cast<float>(a.sampling_ratio) : ceilf(bin);
  }

  struct Range {
    int64_t begin, end;
  };
  /// The points of bin b that can lie in [from, to]: a region may be far larger than the features.
  __device__ Range points_between(int64_t b, double from, double to) const {
    const double step = double(bin) / double(points), start = low + static_cast<float>(b) * bin;
    const double most = fmax(0.0, fmin(double(points), 1e15));
    if (!(step > 0)) return {0, static_cast<int64_t>(most)};
    return {static_cast<int64_t>(fmin(fmax((from - start) / step - 2, 0.0), most)),
            static_cast<int64_t>(fmin(fmax((to - start) / step + 2, 0.0), most))};
  }

  /// Where a point lies, inside the features; below 0: outside.
  __device__ float place(int64_t b, int64_t i) const {
    const float at = low + static_cast<float>(b) * bin + (static_cast<float>(i) + 0.5f) * bin / points;
    if (at < -1 || at > static_cast<float>(size)) return -1;
    return fminf(fmaxf(at, 0.0f), static_cast<float>(size - 1));
  }

  /// False: no bin takes anything of this place.
  __device__ bool may_take(int64_t at, int64_t bins) const {
    const float high = low + static_cast<float>(bins) * bin, middle = static_cast<float>(at);
    return fminf(low, high) < middle + 1.5f && fmaxf(low, high) > middle - 1.5f;
  }

  /// A place's share in the mean of bin b.
  __device__ float share(int64_t b, int64_t at) const {
    const Range range = points_between(b, at - 1.0, at + 1.0);
    float sum = 0;
    for (int64_t i = range.begin; i < range.end; ++i) {
      const float point = place(b, i);
      if (point >= 0) sum += fmaxf(0.0f, 1 - fabsf(point - static_cast<float>(at)));
    }
    return sum / fmaxf(points, 1.0f);
  }
};

struct Region {
  int64_t image;
  bool is_finite;
  Side rows, columns;

  __device__ Region(const RoiAlign& a, int64_t k) : Region(a, a.rois + k * 5, a.aligned ? 0.5f : 0.0f) {}
  __device__ Region(const RoiAlign& a, const float* roi, float offset)
      : image(static_cast<int64_t>(roi[0])),
        rows(a, roi[2] * a.spatial_scale - offset, roi[4] * a.spatial_scale - offset, a.bins_high, a.height),
        columns(a, roi[1] * a.spatial_scale - offset, roi[3] * a.spatial_scale - offset, a.bins_wide, a.width) {
    is_finite = isfinite(rows.low) && isfinite(columns.low) && isfinite(rows.bin) && isfinite(columns.bin);
  }
};

struct Element {
  int64_t outer, channel, y, x;
};

/// The element that a thread writes: neighbours in memory are neighbours among threads.
__device__ Element element_of(int64_t index, bool channels_last, int64_t channels, int64_t height, int64_t width) {
  Element e;
  if (channels_last) {
    e.channel = index % channels, index /= channels;
    e.x = index % width, index /= width;
    e.y = index % height, e.outer = index / height;
  } else {
    e.x = index % width, index /= width;
    e.y = index % height, index /= height;
    e.channel = index % channels, e.outer = index / channels;
  }
  return e;
}

__device__ int64_t offset_of(const int64_t (&strides)[4], int64_t outer, int64_t channel, int64_t y, int64_t x) {
  return outer * strides[0] + channel * strides[1] + y * strides[2] + x * strides[3];
}

__device__ float interpolated(const RoiAlign& a, const float* plane, float y, float x) {
  const auto top = static_cast<int64_t>(y), left = static_cast<int64_t>(x);
  const int64_t bottom = top + 1 < a.height ? top + 1 : top, right = left + 1 < a.width ? left + 1 : left;
  const float low = y - static_cast<float>(top), across = x - static_cast<float>(left);
  const auto at = [&](int64_t row, int64_t column) {
    return plane[row * a.feature_strides[2] + column * a.feature_strides[3]];
  };
  return (1 - low) * ((1 - across) * at(top, left) + across * at(top, right)) +
         low * ((1 - across) * at(bottom, left) + across * at(bottom, right));
}

__global__ void pool(RoiAlign a, int64_t size) {
  const int64_t index = static_cast<int64_t>(blockIdx.x) * kThreads + threadIdx.x;
  if (index >= size) return;
  const Element e = element_of(index, a.channels_last, a.channels, a.bins_high, a.bins_wide);
  float* to = a.to + offset_of(a.result_strides, e.outer, e.channel, e.y, e.x);
  const Region region(a, e.outer);
  if (!region.is_finite) {
    *to = NAN;
    return;
  }
  const float* plane = a.from + offset_of(a.feature_strides, region.image, e.channel, 0, 0);
  const auto ys = region.rows.points_between(e.y, -1, static_cast<double>(a.height)),
             xs = region.columns.points_between(e.x, -1, static_cast<double>(a.width));
  float sum = 0;
  for (int64_t i = ys.begin; i < ys.end; ++i) {
    const float y = region.rows.place(e.y, i);
    for (int64_t j = xs.begin; y >= 0 && j < xs.end; ++j) {
      const float x = region.columns.place(e.x, j);
      if (x >= 0) sum += interpolated(a, plane, y, x);
    }
  }
  *to = sum / (fmaxf(region.rows.points, 1.0f) * fmaxf(region.columns.points, 1.0f));
}

__global__ void collect(RoiAlign a, int64_t size) {
  const int64_t index = static_cast<int64_t>(blockIdx.x) * kThreads + threadIdx.x;
  if (index >= size) return;
  const Element e = element_of(index, a.channels_last, a.channels, a.height, a.width);
  float sum = 0;
  for (int64_t k = 0; k < a.regions; ++k) {
    const Region region(a, k);
    if (region.image != e.outer || !region.is_finite || !region.rows.may_take(e.y, a.bins_high) ||
        !region.columns.may_take(e.x, a.bins_wide))
      continue;
    for (int64_t v = 0; v < a.bins_high; ++v) {
      const float row = region.rows.share(v, e.y);
      for (int64_t u = 0; row != 0 && u < a.bins_wide; ++u) {
        const float column = region.columns.share(u, e.x);
        if (column != 0) sum += row * column * a.from[offset_of(a.result_strides, k, e.channel, v, u)];
      }
    }
  }
  a.to[offset_of(a.feature_strides, e.outer, e.channel, e.y, e.x)] = sum;
}

bool launch(void (*kernel)(RoiAlign, int64_t), const RoiAlign& a, int64_t size, int device, void* stream) {
  if (cudaSetDevice(device) != cudaSuccess) return false;
  if (size == 0) return true;
  kernel<<<static_cast<unsigned>((size + kThreads - 1) / kThreads), kThreads, 0, static_cast<cudaStream_t>(stream)>>>(
      a, size);
  return cudaGetLastError() == cudaSuccess;
}

}  // namespace

bool roi_align(const RoiAlign& arguments, int device, void* stream) {
  const RoiAlign& a = arguments;
  return launch(pool, a, a.regions * a.channels * a.bins_high * a.bins_wide, device, stream);
}

bool roi_align_backward(const RoiAlign& arguments, int device, void* stream) {
  const RoiAlign& a = arguments;
  return launch(collect, a, a.images * a.channels * a.height * a.width, device, stream);
}

}  // namespace freeatm::ops::cuda
