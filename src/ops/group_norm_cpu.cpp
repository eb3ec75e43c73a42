// SPDX-License-Identifier: Apache-2.0
// Rows first, a group lies together: its sums and its result follow each other while it is in the cache. Channels last,
// pixels are summed up in parts, and what came of all of them is needed before the first can be written.
//
// Sums are kept in double, where the difference of squares has digits left for any deviation that fp32 can show.
#include "group_norm_cpu.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include <ATen/Parallel.h>
#include <ATen/core/Tensor.h>
#include <ATen/ops/empty_like.h>

#include "lanes.h"
#include "vectorised.h"

// g++'s unroll-and-jam takes loops over registers before the vectoriser does.
#ifndef __clang__
#pragma GCC optimize("no-loop-unroll-and-jam")
#endif

namespace freeatm::ops::cpu {
namespace {

using at::Tensor;

template <int kWidth>
FREEATM_INLINED int64_t add_blocks(const float* x, int64_t stride, int64_t rows, int64_t column, int64_t columns,
                                   double* sum, double* squares) {
  for (; column + kWidth <= columns; column += kWidth) {
    double s[kWidth], q[kWidth];
    for (int i = 0; i < kWidth; ++i) s[i] = sum[column + i], q[i] = squares[column + i];
    for (int64_t row = 0; row < rows; ++row) {
      const float* at = x + row * stride + column;
      for (int i = 0; i < kWidth; ++i) {
        const double value = at[i];
        s[i] += value;
        q[i] += value * value;
      }
    }
    for (int i = 0; i < kWidth; ++i) sum[column + i] = s[i], squares[column + i] = q[i];
  }
  return column;
}

/// column, columns: of pairs; sums: of all firsts, then of all seconds. A bf16 has 8 bits, its square 16: where the
/// mean is so large that the difference of squares needs their last bits, floats lose none over kRun rows.
template <int kWidth>
FREEATM_INLINED int64_t add_blocks(const Bits* x, int64_t stride, int64_t rows, int64_t column, int64_t columns,
                                   double* sum, double* squares) {
  for (; column + kWidth <= columns; column += kWidth) {
    float s[kWidth] = {}, s2[kWidth] = {}, q[kWidth] = {}, q2[kWidth] = {};
    for (int64_t row = 0; row < rows; ++row) {
      const Bits* at = x + row * stride + 2 * column;
      for (int i = 0; i < kWidth; ++i) {
        const uint32_t pair = load_pair(at + 2 * i);
        const float first = first_of(pair), second = second_of(pair);
        s[i] += first, q[i] += first * first;
        s2[i] += second, q2[i] += second * second;
      }
    }
    for (int i = 0; i < kWidth; ++i) {
      sum[column + i] += s[i], squares[column + i] += q[i];
      sum[columns + column + i] += s2[i], squares[columns + column + i] += q2[i];
    }
  }
  return column;
}

constexpr int64_t kBlock = 32, kRun = 64;

/// Adds rows [rows, columns] to a row of sums; kBlock columns at a time stay in registers.
FREEATM_VECTORISED void add_moments(const float* x, int64_t stride, int64_t rows, int64_t columns, double* sum,
                                    double* squares) {
  const int64_t done = add_blocks<kBlock>(x, stride, rows, 0, columns, sum, squares);
  add_blocks<1>(x, stride, rows, done, columns, sum, squares);
}
/// columns: an even number; rows: kRun at the most
FREEATM_VECTORISED void add_moments(const Bits* x, int64_t stride, int64_t rows, int64_t columns, double* sum,
                                    double* squares) {
  const int64_t done = add_blocks<kBlock>(x, stride, rows, 0, columns / 2, sum, squares);
  add_blocks<1>(x, stride, rows, done, columns / 2, sum, squares);
}

/// What makes y of x: (x - mean) * scale + shift. The mean is taken off first, and exactly where it is large: shift
/// holds what a float could not keep of it.
struct Affine {
  const float *mean, *scale, *shift;
};

template <bool kActivates>
FREEATM_INLINED float transformed(float x, float mean, float scale, float shift) {
  const float y = (x - mean) * scale + shift;
  return kActivates ? silu(y) : y;
}

template <bool kActivates>
FREEATM_INLINED void transform_pixels(const float* x, Affine by, int64_t pixels, int64_t channels, float* y) {
  for (int64_t p = 0; p < pixels; ++p) {
#pragma GCC ivdep
    for (int64_t c = 0; c < channels; ++c) {
      const int64_t i = p * channels + c;
      y[i] = transformed<kActivates>(x[i], by.mean[c], by.scale[c], by.shift[c]);
    }
  }
}
template <bool kActivates>
FREEATM_INLINED void transform_pixels(const Bits* x, Affine by, int64_t pixels, int64_t channels, Bits* y) {
  const int64_t pairs = channels / 2;
  for (int64_t p = 0; p < pixels; ++p) {
#pragma GCC ivdep
    for (int64_t c = 0; c < pairs; ++c) {
      const int64_t i = p * channels + 2 * c, d = c + pairs;
      const uint32_t pair = load_pair(x + i);
      store_pair(transformed<kActivates>(first_of(pair), by.mean[c], by.scale[c], by.shift[c]),
                 transformed<kActivates>(second_of(pair), by.mean[d], by.scale[d], by.shift[d]), y + i);
    }
  }
}

template <bool kActivates>
FREEATM_INLINED void transform_planes(const float* x, Affine by, int64_t pixels, int64_t channels, float* y) {
  for (int64_t c = 0; c < channels; ++c) {
    const float mean = by.mean[c], scale = by.scale[c], shift = by.shift[c];
#pragma GCC ivdep
    for (int64_t i = c * pixels; i < (c + 1) * pixels; ++i) y[i] = transformed<kActivates>(x[i], mean, scale, shift);
  }
}
template <bool kActivates>
FREEATM_INLINED void transform_planes(const Bits* x, Affine by, int64_t pixels, int64_t channels, Bits* y) {
  for (int64_t c = 0; c < channels; ++c) {
    const float mean = by.mean[c], scale = by.scale[c], shift = by.shift[c];
    const Bits* from = x + c * pixels;
    Bits* to = y + c * pixels;
#pragma GCC ivdep
    for (int64_t i = 0; i < pixels / 2; ++i) {
      const uint32_t pair = load_pair(from + 2 * i);
      store_pair(transformed<kActivates>(first_of(pair), mean, scale, shift),
                 transformed<kActivates>(second_of(pair), mean, scale, shift), to + 2 * i);
    }
    if (pixels % 2 == 0) continue;
    const float last = first_of(from[pixels - 1]);
    to[pixels - 1] = static_cast<Bits>(rounded(transformed<kActivates>(last, mean, scale, shift)) >> 16);
  }
}

template <typename T>
FREEATM_INLINED void transform(const T* x, Affine by, int64_t pixels, int64_t channels, bool is_last, bool activates,
                               T* y) {
  if (is_last) {
    activates ? transform_pixels<true>(x, by, pixels, channels, y)
              : transform_pixels<false>(x, by, pixels, channels, y);
  } else {
    activates ? transform_planes<true>(x, by, pixels, channels, y)
              : transform_planes<false>(x, by, pixels, channels, y);
  }
}
FREEATM_VECTORISED void transform_all(const float* x, Affine by, int64_t pixels, int64_t channels, bool is_last,
                                      bool activates, float* y) {
  transform(x, by, pixels, channels, is_last, activates, y);
}
FREEATM_VECTORISED void transform_all(const Bits* x, Affine by, int64_t pixels, int64_t channels, bool is_last,
                                      bool activates, Bits* y) {
  transform(x, by, pixels, channels, is_last, activates, y);
}

struct Moments {
  double sum = 0, squares = 0;

  void add(const double* sums, const double* squared, int64_t size) {
    constexpr int kChains = 4;  // that do not wait for each other
    double s[kChains] = {}, q[kChains] = {};
    const int64_t whole = size / kChains * kChains;
    for (int64_t i = 0; i < whole; i += kChains) {
      for (int k = 0; k < kChains; ++k) s[k] += sums[i + k], q[k] += squared[i + k];
    }
    for (int64_t i = whole; i < size; ++i) s[0] += sums[i], q[0] += squared[i];
    for (int k = 0; k < kChains; ++k) sum += s[k], squares += q[k];
  }
};

template <typename T>
class GroupNorm {
 public:
  GroupNorm(const Tensor& x, int64_t groups, const Tensor& weight, const Tensor& bias, double eps)
      : batch_(x.size(0)),
        channels_(x.size(1)),
        pixels_(x.size(2) * x.size(3)),
        groups_(groups),
        width_(channels_ / groups),
        eps_(eps),
        weight_(weight.to(at::kFloat)),
        bias_(bias.to(at::kFloat)),
        affine_(static_cast<size_t>(3 * batch_ * channels_)) {}

  void channels_first(const T* x, bool activates, T* y) {
    // Not at::parallel_for: it takes, the first time, the number of threads that any thread has set last.
#pragma omp parallel for schedule(static)
    for (int64_t group = 0; group < batch_ * groups_; ++group) {
      const int64_t begin = group * width_ * pixels_;
      set<1>(group, moments_of(x + begin, width_ * pixels_));
      transform_all(x + begin, affine(group * width_), pixels_, width_, /*is_last=*/false, activates, y + begin);
    }
  }

  void channels_last(const T* x, bool activates, T* y) {
    // Parts depend on the shape alone: sums are the same for any number of threads.
    const int64_t rows = std::min(pixels_, std::max(kRows, kPart / channels_)), parts = (pixels_ + rows - 1) / rows;
    std::vector<Moments> moments(static_cast<size_t>(batch_ * parts * groups_));
#pragma omp parallel
    {
      std::vector<double> sums(static_cast<size_t>(2 * channels_));
#pragma omp for schedule(static)
      for (int64_t part = 0; part < batch_ * parts; ++part) {
        const auto [pixel, size] = pixels_of(part, parts, rows);
        std::fill(sums.begin(), sums.end(), 0.0);
        for (int64_t p = 0; p < size; p += kPack)
          add_moments(x + (pixel + p) * channels_, channels_, std::min(kPack, size - p), channels_, sums.data(),
                      sums.data() + channels_);
        add_groups(sums, moments.data() + part * groups_);
      }
#pragma omp for schedule(static)
      for (int64_t group = 0; group < batch_ * groups_; ++group) {
        Moments all;
        for (int64_t part = 0; part < parts; ++part) {
          const Moments& m = moments[(group / groups_ * parts + part) * groups_ + group % groups_];
          all.sum += m.sum, all.squares += m.squares;
        }
        set<kLanes>(group, all);
      }
#pragma omp for schedule(static)
      for (int64_t part = 0; part < batch_ * parts; ++part) {
        const auto [pixel, size] = pixels_of(part, parts, rows);
        transform_all(x + pixel * channels_, affine(part / parts * channels_), size, channels_, /*is_last=*/true,
                      activates, y + pixel * channels_);
      }
    }
  }

 private:
  static constexpr int64_t kPart = 1 << 14, kRows = 32, kPack = 16;  // values, pixels, pixels
  static constexpr int64_t kLanes = sizeof(float) / sizeof(T);       // of 32 bits: how many numbers

  static Moments moments_of(const T* x, int64_t size) {
    constexpr int64_t kWidth = kBlock * kLanes;
    double sum[kWidth] = {}, squares[kWidth] = {};
    int64_t i = 0;
    for (int64_t rows = 0; (rows = std::min(kRun, (size - i) / kWidth)) > 0; i += rows * kWidth)
      add_moments(x + i, kWidth, rows, kWidth, sum, squares);
    if (i < size) add_moments(x + i, 0, 1, (size - i) / kLanes * kLanes, sum, squares);
    if constexpr (kLanes == 2) {
      if (size % 2 != 0) {
        const double last = first_of(x[size - 1]);
        sum[0] += last, squares[0] += last * last;
      }
    }
    Moments out;
    out.add(sum, squares, kWidth);
    return out;
  }

  struct Pixels {
    int64_t first, size;
  };

  Pixels pixels_of(int64_t part, int64_t parts, int64_t rows) const {
    const int64_t begin = part % parts * rows;
    return {part / parts * pixels_ + begin, std::min(rows, pixels_ - begin)};
  }

  /// Where a channel's numbers lie: of pairs all firsts come before all seconds.
  template <int64_t kOf>
  int64_t place(int64_t channel) const {
    return channel % kOf * (channels_ / kOf) + channel / kOf;
  }

  void add_groups(const std::vector<double>& sums, Moments* groups) const {
    const double *sum = sums.data(), *squares = sum + channels_;
    for (int64_t group = 0; group < groups_; ++group) {
      const int64_t begin = group * width_, end = begin + width_;
      for (int64_t first = begin; first < std::min(begin + kLanes, end); ++first) {
        const int64_t at = place<kLanes>(first);
        groups[group].add(sum + at, squares + at, (end - first + kLanes - 1) / kLanes);
      }
    }
  }

  Affine affine(int64_t channel) const {
    const int64_t all = batch_ * channels_;
    return {affine_.data() + channel, affine_.data() + all + channel, affine_.data() + 2 * all + channel};
  }

  /// group: of all pictures' groups
  template <int64_t kOf>
  void set(int64_t group, const Moments& moments) {
    const auto count = static_cast<double>(width_ * pixels_);
    const double mean = moments.sum / count, variance = moments.squares / count - mean * mean;
    // Not std::max, which would lose a NaN.
    const double inverse = 1 / std::sqrt((variance < 0 ? 0.0 : variance) + eps_);
    const auto taken = static_cast<float>(mean);
    const auto *weight = weight_.const_data_ptr<float>(), *bias = bias_.const_data_ptr<float>();
    const int64_t all = batch_ * channels_, first = group % groups_ * width_;
    float* to = affine_.data() + group / groups_ * channels_;
    for (int64_t channel = first; channel < first + width_; ++channel) {
      const double scale = weight[channel] * inverse;
      const int64_t at = place<kOf>(channel);
      to[at] = taken;
      to[all + at] = static_cast<float>(scale);
      to[2 * all + at] = static_cast<float>(bias[channel] - (mean - taken) * scale);
    }
  }

  int64_t batch_, channels_, pixels_, groups_, width_;
  double eps_;
  Tensor weight_, bias_;
  std::vector<float> affine_;  // [3, B, channels]: mean, scale, shift
};

bool is_last(const Tensor& x) {
  const bool fits = x.scalar_type() == at::kFloat ? x.size(1) > 1 : x.size(1) % 2 == 0;
  return fits && x.is_contiguous(at::MemoryFormat::ChannelsLast);
}

template <typename T>
void run(GroupNorm<T> norm, const Tensor& x, bool activates, const Tensor& y) {
  const auto* from = static_cast<const T*>(x.const_data_ptr());
  auto* to = static_cast<T*>(y.mutable_data_ptr());
  is_last(x) ? norm.channels_last(from, activates, to) : norm.channels_first(from, activates, to);
}

}  // namespace

Tensor group_norm(const Tensor& x, int64_t groups, const Tensor& weight, const Tensor& bias, double eps,
                  bool activates) {
  Tensor y = at::empty_like(x);
  if (x.scalar_type() == at::kFloat) {
    run(GroupNorm<float>(x, groups, weight, bias, eps), x, activates, y);
  } else {
    run(GroupNorm<Bits>(x, groups, weight, bias, eps), x, activates, y);
  }
  return y;
}

bool fits_group_norm(const Tensor& x, int64_t groups, const Tensor& weight, const Tensor& bias) {
  const auto fits = [&](const Tensor& parameter) {
    return parameter.defined() && parameter.is_contiguous() && parameter.numel() == x.size(1) &&
           (parameter.scalar_type() == at::kFloat || parameter.scalar_type() == x.scalar_type());
  };
  if (!x.device().is_cpu() || x.dim() != 4 || x.numel() == 0 || groups < 1 || x.size(1) % groups != 0) return false;
  if (!fits(weight) || !fits(bias)) return false;
  // Planes of bf16 that fill no vector are LibTorch's: it takes half the time.
  const bool fits_planes = x.scalar_type() == at::kFloat || x.size(2) * x.size(3) >= 32;
  return (x.scalar_type() == at::kFloat || x.scalar_type() == at::kBFloat16) &&
         (is_last(x) || (x.is_contiguous() && fits_planes));
}

}  // namespace freeatm::ops::cpu
