// SPDX-License-Identifier: Apache-2.0
#include "norm_relu_cpu.h"

#include <algorithm>
#include <cmath>

#include <ATen/Parallel.h>
#include <ATen/core/Tensor.h>
#include <ATen/ops/empty_like.h>

#include "vectorised.h"

namespace freeatm::ops::cpu {
namespace {

using at::Tensor;

// Loops run over whole tiles: rows side by side, as many as make some vectors, so that sums do not wait for each other.
// What is known for a channel is repeated for each row of a tile.
constexpr int64_t kTile = 256, kChunk = 1 << 14, kChunks = 256;  // floats, floats, and about so many at the most

FREEATM_VECTORISED void add_moments(const float* x, const float* shift, int64_t size, int64_t tile, float* sum,
                                    float* squares) {
  for (int64_t t = 0; t < size; t += tile) {
    const int64_t width = std::min(tile, size - t);
#pragma GCC ivdep
    for (int64_t i = 0; i < width; ++i) {
      const float centered = x[t + i] - shift[i];
      sum[i] += centered;
      squares[i] += centered * centered;
    }
  }
}

FREEATM_VECTORISED void scale_and_clamp(const float* x, const float* scale, const float* shift, int64_t size,
                                        int64_t tile, float* y) {
  for (int64_t t = 0; t < size; t += tile) {
    const int64_t width = std::min(tile, size - t);
#pragma GCC ivdep
    for (int64_t i = 0; i < width; ++i) y[t + i] = std::max(x[t + i] * scale[i] + shift[i], 0.0f);
  }
}

FREEATM_VECTORISED void scale_add_and_clamp(const float* x, const float* residual, const float* scale,
                                            const float* shift, int64_t size, int64_t tile, float* y) {
  for (int64_t t = 0; t < size; t += tile) {
    const int64_t width = std::min(tile, size - t);
#pragma GCC ivdep
    for (int64_t i = 0; i < width; ++i) y[t + i] = std::max(x[t + i] * scale[i] + shift[i] + residual[t + i], 0.0f);
  }
}

/// gradient: of y; through: of what the ReLU was given
FREEATM_VECTORISED void add_gradients(const float* gradient, const float* y, const float* x, const float* mean,
                                      int64_t size, int64_t tile, float* sum, float* product, float* through) {
  for (int64_t t = 0; t < size; t += tile) {
    const int64_t width = std::min(tile, size - t);
#pragma GCC ivdep
    for (int64_t i = 0; i < width; ++i) {
      const float g = y[t + i] <= 0 ? 0.0f : gradient[t + i];
      through[t + i] = g;
      sum[i] += g;
      product[i] += g * (x[t + i] - mean[i]);
    }
  }
}

FREEATM_VECTORISED void combine(const float* through, const float* x, const float* of_through, const float* of_x,
                                const float* constant, int64_t size, int64_t tile, float* gradient) {
  for (int64_t t = 0; t < size; t += tile) {
    const int64_t width = std::min(tile, size - t);
#pragma GCC ivdep
    for (int64_t i = 0; i < width; ++i)
      gradient[t + i] = of_through[i] * through[t + i] + of_x[i] * x[t + i] + constant[i];
  }
}

/// How a tensor of [B, channels, h, w], channels last, is cut into chunks of whole tiles. It depends on nothing else:
/// sums are the same for any number of threads.
struct Chunks {
  int64_t size, channels, tile, chunk;

  explicit Chunks(const Tensor& x)
      : size(x.numel()),
        channels(x.size(1)),
        tile(channels * std::max<int64_t>(1, kTile / channels)),
        chunk(tile * std::max<int64_t>(1, std::max(kChunk, size / kChunks) / tile)) {}

  int64_t count() const { return (size + chunk - 1) / chunk; }
  int64_t rows() const { return size / channels; }

  std::vector<float> tiled(const std::vector<double>& values) const {
    std::vector<float> out(static_cast<size_t>(tile));
    for (size_t i = 0; i < out.size(); ++i) out[i] = static_cast<float>(values[i % values.size()]);
    return out;
  }

  /// work(begin, size): of each chunk
  template <typename Work>
  void each(const Work& work) const {
    const int64_t last = count();
    // Not at::parallel_for: it takes, the first time, the number of threads that any thread has set last.
#pragma omp parallel for schedule(static)
    for (int64_t i = 0; i < last; ++i) work(i * chunk, std::min(chunk, size - i * chunk));
  }

  struct Sums {
    std::vector<double> first, second;  // [channels]
  };

  /// work(begin, size, first, second) adds to two tiles that begin as zeros.
  template <typename Work>
  Sums sums(const Work& work) const {
    std::vector<float> parts(static_cast<size_t>(count() * 2 * tile));
    each([&](int64_t begin, int64_t part) {
      float* first = parts.data() + begin / chunk * 2 * tile;
      work(begin, part, first, first + tile);
    });
    Sums out{std::vector<double>(static_cast<size_t>(channels)), std::vector<double>(static_cast<size_t>(channels))};
    for (auto part = parts.begin(); part != parts.end(); part += tile) {
      auto& sums = (part - parts.begin()) / tile % 2 == 0 ? out.first : out.second;
      for (int64_t i = 0; i < tile; i += channels) {
        for (int64_t c = 0; c < channels; ++c) sums[static_cast<size_t>(c)] += part[i + c];
      }
    }
    return out;
  }
};

}  // namespace

Statistics statistics_of(const Tensor& x) {
  const Chunks chunks(x);
  const auto* values = x.const_data_ptr<float>();
  // Around the first row: the difference of two large squares would have no digits left.
  const std::vector<double> shift(values, values + chunks.channels);
  const auto tiled = chunks.tiled(shift);
  const auto [sum, squares] = chunks.sums([&](int64_t begin, int64_t size, float* first, float* second) {
    add_moments(values + begin, tiled.data(), size, chunks.tile, first, second);
  });
  const auto rows = static_cast<double>(chunks.rows());
  Statistics out{sum, squares, rows};
  for (size_t c = 0; c < shift.size(); ++c) {
    const double centered = sum[c] / rows;
    out.mean[c] = shift[c] + centered;
    out.variance[c] = std::max(0.0, squares[c] / rows - centered * centered);
  }
  return out;
}

std::vector<double> values_of(const Tensor& x) {
  return {x.const_data_ptr<float>(), x.const_data_ptr<float>() + x.numel()};
}

void transform(const Tensor& x, const Tensor& residual, const Tensor& weight, const Tensor& bias,
               const Statistics& seen, double eps, Tensor& y) {
  const Chunks chunks(x);
  std::vector<double> scale = values_of(weight), shift = values_of(bias);
  for (size_t c = 0; c < scale.size(); ++c) {
    scale[c] /= std::sqrt(seen.variance[c] + eps);
    shift[c] -= seen.mean[c] * scale[c];
  }
  const auto scales = chunks.tiled(scale), shifts = chunks.tiled(shift);
  const float* from = x.const_data_ptr<float>();
  const float* add = residual.defined() ? residual.const_data_ptr<float>() : nullptr;
  auto* to = y.mutable_data_ptr<float>();
  chunks.each([&](int64_t begin, int64_t size) {
    if (add) {
      scale_add_and_clamp(from + begin, add + begin, scales.data(), shifts.data(), size, chunks.tile, to + begin);
    } else {
      scale_and_clamp(from + begin, scales.data(), shifts.data(), size, chunks.tile, to + begin);
    }
  });
}

Gradients backward(const Tensor& gradient_of_y, const Tensor& x, const Tensor& y, const Tensor& weight,
                   const OfBatch& batch, bool adds) {
  const Tensor gradient = gradient_of_y.contiguous(at::MemoryFormat::ChannelsLast);
  const Chunks chunks(x);
  const auto channels = static_cast<size_t>(chunks.channels);
  Tensor through = at::empty_like(x);
  const auto tiled_mean = chunks.tiled(batch.mean);
  const auto *from = gradient.const_data_ptr<float>(), *value = x.const_data_ptr<float>(),
             *result = y.const_data_ptr<float>();
  auto* passed = through.mutable_data_ptr<float>();
  auto [sum, product] = chunks.sums([&](int64_t begin, int64_t size, float* first, float* second) {
    add_gradients(from + begin, result + begin, value + begin, tiled_mean.data(), size, chunks.tile, first, second,
                  passed + begin);
  });

  Tensor of_weight = at::empty_like(weight), of_bias = at::empty_like(weight);
  std::vector<double> of_through = values_of(weight), of_x(channels), constant(channels);
  for (size_t c = 0; c < channels; ++c) {
    of_weight.mutable_data_ptr<float>()[c] = static_cast<float>(product[c] / batch.deviation[c]);
    of_bias.mutable_data_ptr<float>()[c] = static_cast<float>(sum[c]);
  }
  if (batch.over_parts) batch.over_parts(sum, product);
  for (size_t c = 0; c < channels; ++c) {
    const double deviation = batch.deviation[c];
    of_through[c] /= deviation;
    of_x[c] = -of_through[c] * product[c] / (batch.rows * deviation * deviation);
    constant[c] = -of_through[c] * sum[c] / batch.rows - of_x[c] * batch.mean[c];
  }
  const auto a = chunks.tiled(of_through), b = chunks.tiled(of_x), d = chunks.tiled(constant);
  Tensor of_input = adds ? at::empty_like(x) : through;
  auto* to = of_input.mutable_data_ptr<float>();
  chunks.each([&](int64_t begin, int64_t size) {
    combine(passed + begin, value + begin, a.data(), b.data(), d.data(), size, chunks.tile, to + begin);
  });
  return {of_input, of_weight, of_bias, adds ? through : Tensor()};
}

bool fits(const Tensor& x) {
  return x.device().is_cpu() && x.scalar_type() == at::kFloat && x.is_contiguous(at::MemoryFormat::ChannelsLast);
}

}  // namespace freeatm::ops::cpu
