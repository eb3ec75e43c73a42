// SPDX-License-Identifier: Apache-2.0
// Bilinear weights are products of one of the row and one of the column, so that each side of a region has its own
// links between places and bins, shared by all channels; points of a bin that fall between the same places are one
// link. A bin is then a weighted sum of pixels (forward) and a pixel one of bins (backward), vectors of channels each.
#include "roi_align_cpu.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <type_traits>
#include <vector>

#include <ATen/Parallel.h>
#include <ATen/core/Tensor.h>
#include <ATen/ops/empty.h>

#include "vectorised.h"

// g++'s unroll-and-jam takes the loops of weighted_sum before the vectoriser does.
#ifndef __clang__
#pragma GCC optimize("no-loop-unroll-and-jam")
#endif

namespace freeatm::ops::cpu {
namespace {

using at::Tensor;

/// One side of a region: for each of its rows, whence and with what weight.
template <typename T>
struct Links {
  int64_t first = 0;           // the first row; bins: 0
  std::vector<int64_t> begin;  // [rows + 1]
  std::vector<int64_t> from;
  std::vector<T> weight;

  int64_t rows() const { return std::ssize(begin) - 1; }

  void add(int64_t source, T share) {
    for (int64_t i = std::max(begin.back(), std::ssize(from) - 2); i < std::ssize(from); ++i) {
      if (from[i] != source) continue;
      weight[i] += share;
      return;
    }
    from.push_back(source);
    weight.push_back(share);
  }
};

/// The places [0, size) that each bin takes, from low to high.
template <typename T>
Links<T> places_of_bins(const RoiAlign& options, T low, T high, int64_t bins, int64_t size) {
  Links<T> links;
  links.begin.push_back(0);
  const T bin = (options.aligned ? high - low : std::max(high - low, T(1))) / static_cast<T>(bins);
  const T points = options.sampling_ratio > 0 ? static_cast<T>(options.sampling_ratio) : std::ceil(bin);
  const double step = static_cast<double>(bin) / static_cast<double>(points),
               most = std::clamp<double>(points, 0, 1e15);
  for (int64_t b = 0; b < bins; ++b) {
    const T start = low + static_cast<T>(b) * bin;
    // The points that can lie inside: a region may be far larger than the features.
    int64_t i = 0, end = static_cast<int64_t>(most);
    if (step > 0) {
      i = static_cast<int64_t>(std::clamp((-1 - start) / step - 2, 0.0, most));
      end = static_cast<int64_t>(std::clamp((static_cast<double>(size) - start) / step + 2, 0.0, most));
    }
    for (; i < end; ++i) {
      const T at = start + (static_cast<T>(i) + T(0.5)) * bin / points;
      if (at < -1 || at > static_cast<T>(size)) continue;
      const T inside = std::max(at, T(0));
      const auto place = static_cast<int64_t>(inside);
      if (place >= size - 1) {
        links.add(size - 1, 1 / points);
      } else {
        const T share = inside - static_cast<T>(place);
        links.add(place, (1 - share) / points);
        links.add(place + 1, share / points);
      }
    }
    links.begin.push_back(std::ssize(links.from));
  }
  return links;
}

/// The bins that each place goes to.
template <typename T>
Links<T> transposed(const Links<T>& links) {
  Links<T> out;
  out.begin.push_back(0);
  if (links.from.empty()) return out;
  const auto [least, most] = std::minmax_element(links.from.begin(), links.from.end());
  out.first = *least;
  out.begin.resize(static_cast<size_t>(*most - *least + 2));
  for (const int64_t place : links.from) ++out.begin[place - out.first + 1];
  for (size_t i = 1; i < out.begin.size(); ++i) out.begin[i] += out.begin[i - 1];
  out.from.resize(links.from.size());
  out.weight.resize(links.from.size());
  std::vector<int64_t> next = out.begin;
  for (int64_t bin = 0; bin < links.rows(); ++bin) {
    for (int64_t i = links.begin[bin]; i < links.begin[bin + 1]; ++i) {
      const int64_t slot = next[links.from[i] - out.first]++;
      out.from[slot] = bin;
      out.weight[slot] = links.weight[i];
    }
  }
  return out;
}

template <typename T>
struct Region {
  int64_t image = 0;
  bool is_finite = false;
  Links<T> rows, columns;  // of bins; none where it is not finite

  Region() = default;
  /// roi: [5]
  Region(const RoiAlign& options, const T* roi, int64_t height, int64_t width) : image(static_cast<int64_t>(roi[0])) {
    const T scale = static_cast<T>(options.spatial_scale), offset = options.aligned ? T(0.5) : T(0);
    const T x1 = roi[1] * scale - offset, y1 = roi[2] * scale - offset, x2 = roi[3] * scale - offset,
            y2 = roi[4] * scale - offset;
    is_finite = std::isfinite(x2 - x1) && std::isfinite(y2 - y1);
    if (!is_finite) return;
    rows = places_of_bins(options, y1, y2, options.height, height);
    columns = places_of_bins(options, x1, x2, options.width, width);
  }
};

/// Vectors and their weights.
template <typename T>
struct Terms {
  std::vector<const T*> vector;
  std::vector<T> weight;

  /// All pairs of a row and a column of `plane`, `pitch` vectors a row.
  void assign(const Links<T>& rows, int64_t row, const Links<T>& columns, int64_t column, const T* plane, int64_t pitch,
              int64_t channels) {
    const int64_t r = rows.begin[row], c = columns.begin[column], last = columns.begin[column + 1];
    const auto count = static_cast<size_t>((rows.begin[row + 1] - r) * (last - c));
    vector.resize(count);
    weight.resize(count);
    size_t n = 0;
    for (int64_t i = r; i < rows.begin[row + 1]; ++i) {
      for (int64_t j = c; j < last; ++j, ++n) {
        vector[n] = plane + (rows.from[i] * pitch + columns.from[j]) * channels;
        weight[n] = rows.weight[i] * columns.weight[j];
      }
    }
  }
};

template <typename T, int kWidth>
FREEATM_INLINED int64_t sum_blocks(const T* const* from, const T* weight, int64_t count, int64_t channel,
                                   int64_t channels, T* to, bool adds) {
  for (; channel + kWidth <= channels; channel += kWidth) {
    T sum[kWidth];
    for (int i = 0; i < kWidth; ++i) sum[i] = adds ? to[channel + i] : T(0);
    for (int64_t t = 0; t < count; ++t) {
      const T* x = from[t] + channel;
      for (int i = 0; i < kWidth; ++i) sum[i] += weight[t] * x[i];
    }
    for (int i = 0; i < kWidth; ++i) to[channel + i] = sum[i];
  }
  return channel;
}

/// to [channels] = (adds: +=) the weighted sum of vectors. 64 channels at a time stay in registers.
template <typename T>
FREEATM_INLINED void sum_vectors(const T* const* from, const T* weight, int64_t count, int64_t channels, T* to,
                                 bool adds) {
  int64_t done = sum_blocks<T, 64>(from, weight, count, 0, channels, to, adds);
  done = sum_blocks<T, 16>(from, weight, count, done, channels, to, adds);
  sum_blocks<T, 1>(from, weight, count, done, channels, to, adds);
}

FREEATM_VECTORISED void weighted_sum(const float* const* from, const float* weight, int64_t count, int64_t channels,
                                     float* to, bool adds) {
  sum_vectors(from, weight, count, channels, to, adds);
}

FREEATM_VECTORISED void weighted_sum(const double* const* from, const double* weight, int64_t count, int64_t channels,
                                     double* to, bool adds) {
  sum_vectors(from, weight, count, channels, to, adds);
}

template <typename T>
void weighted_sum(const Terms<T>& terms, int64_t channels, T* to, bool adds) {
  weighted_sum(terms.vector.data(), terms.weight.data(), std::ssize(terms.vector), channels, to, adds);
}

/// pooled: [bins, channels]; out: the region's [channels, bins] or, where both are one memory, [bins, channels]
template <typename T>
void pool_region(const RoiAlign& options, const Region<T>& region, const T* plane, int64_t width, int64_t channels,
                 Terms<T>& terms, T* pooled, T* out) {
  const int64_t bins = options.height * options.width;
  if (!region.is_finite) {
    std::fill_n(out, bins * channels, std::numeric_limits<T>::quiet_NaN());
    return;
  }
  for (int64_t bin = 0; bin < bins; ++bin) {
    terms.assign(region.rows, bin / options.width, region.columns, bin % options.width, plane, width, channels);
    weighted_sum(terms, channels, pooled + bin * channels, false);
  }
  if (pooled == out) return;
  for (int64_t c = 0; c < channels; ++c) {
    for (int64_t bin = 0; bin < bins; ++bin) out[c * bins + bin] = pooled[bin * channels + c];
  }
}

/// features: channels last; out: in either layout
template <typename T>
void pool(const RoiAlign& options, const Tensor& features, const Tensor& rois, Tensor& out) {
  const int64_t channels = features.size(1), height = features.size(2), width = features.size(3),
                bins = options.height * options.width;
  const T *from = features.const_data_ptr<T>(), *roi = rois.const_data_ptr<T>();
  T* to = out.mutable_data_ptr<T>();
  const bool is_last = out.is_contiguous(at::MemoryFormat::ChannelsLast);
  // Not at::parallel_for: see norm_relu_cpu.cpp.
#pragma omp parallel
  {
    Terms<T> terms;
    std::vector<T> room(is_last ? 0 : static_cast<size_t>(bins * channels));
#pragma omp for schedule(dynamic, 4)
    for (int64_t k = 0; k < rois.size(0); ++k) {
      const Region<T> region(options, roi + k * 5, height, width);
      T* pooled = to + k * bins * channels;
      pool_region(options, region, from + region.image * height * width * channels, width, channels, terms,
                  is_last ? pooled : room.data(), pooled);
    }
  }
}

constexpr int64_t kBandRows = 4;  // of the features: one thread's at a time

/// gradient, out: channels last
template <typename T>
void scatter(const RoiAlign& options, const Tensor& gradient, const Tensor& rois, Tensor& out) {
  const int64_t images = out.size(0), channels = out.size(1), height = out.size(2), width = out.size(3),
                bins = options.height * options.width, bands = (height + kBandRows - 1) / kBandRows;
  const T *from = gradient.const_data_ptr<T>(), *roi = rois.const_data_ptr<T>();
  T* to = out.mutable_data_ptr<T>();
  std::vector<Region<T>> regions(static_cast<size_t>(rois.size(0)));
#pragma omp parallel for schedule(static)
  for (int64_t k = 0; k < rois.size(0); ++k) {
    Region<T> region(options, roi + k * 5, height, width);
    region.rows = transposed(region.rows);
    region.columns = transposed(region.columns);
    regions[k] = std::move(region);
  }
#pragma omp parallel
  {
    Terms<T> terms;
#pragma omp for schedule(dynamic)
    for (int64_t band = 0; band < images * bands; ++band) {
      const int64_t image = band / bands, first = band % bands * kBandRows, last = std::min(first + kBandRows, height);
      T* plane = to + image * height * width * channels;
      std::fill(plane + first * width * channels, plane + last * width * channels, T(0));
      for (size_t k = 0; k < regions.size(); ++k) {
        const auto& [its_image, is_finite, rows, columns] = regions[k];
        if (its_image != image) continue;
        for (int64_t y = std::max(first, rows.first); y < std::min(last, rows.first + rows.rows()); ++y) {
          for (int64_t x = 0; x < columns.rows(); ++x) {
            terms.assign(rows, y - rows.first, columns, x, from + static_cast<int64_t>(k) * bins * channels,
                         options.width, channels);
            weighted_sum(terms, channels, plane + (y * width + columns.first + x) * channels, true);
          }
        }
      }
    }
  }
}

}  // namespace

Tensor roi_align(const RoiAlign& options, const Tensor& features, const Tensor& rois) {
  const Tensor last = features.contiguous(at::MemoryFormat::ChannelsLast);
  Tensor out = at::empty({rois.size(0), features.size(1), options.height, options.width}, features.options(),
                         features.suggest_memory_format());
  if (features.scalar_type() == at::kDouble) {
    pool<double>(options, last, rois, out);
  } else {
    pool<float>(options, last, rois, out);
  }
  return out;
}

Tensor roi_align_backward(const RoiAlign& options, const Tensor& gradient, const Tensor& rois, at::IntArrayRef sizes) {
  const Tensor last = gradient.contiguous(at::MemoryFormat::ChannelsLast);
  Tensor out = at::empty(sizes, gradient.options(), at::MemoryFormat::ChannelsLast);
  if (gradient.scalar_type() == at::kDouble) {
    scatter<double>(options, last, rois, out);
  } else {
    scatter<float>(options, last, rois, out);
  }
  return out;
}

}  // namespace freeatm::ops::cpu
