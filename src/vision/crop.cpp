// SPDX-License-Identifier: Apache-2.0
// Random crops, and the separable resampler that equals PIL's: OpenCV has no bilinear filter that widens when it
// shrinks.
#include <algorithm>
#include <cmath>

#include "freeatm/core/error.h"
#include "freeatm/vision/augment.h"

namespace freeatm::vision {
namespace {

constexpr int kFractionBits = 22;  // PIL's fixed point: 32 bits less 8 of the pixel and 2 to spare

// What each output pixel of one axis is made of: `taps` weights from the input pixel `first` on.
struct Filter {
  int taps = 0;
  std::vector<int> first;        // [size]
  std::vector<int32_t> weights;  // [size, taps], fixed point; what an output does not need is 0
};

// The triangle filter, as wide as one output pixel where the picture shrinks, cut off at the borders and normalised.
Filter triangle_filter(int input, int output) {
  const double scale = static_cast<double>(input) / output, support = std::max(scale, 1.0);
  Filter filter;
  filter.taps = std::min(static_cast<int>(std::ceil(support)) * 2 + 1, input);
  filter.first.resize(output);
  filter.weights.resize(size_t(output) * filter.taps);
  std::vector<double> exact(filter.taps);
  for (int i = 0; i < output; ++i) {
    const double center = (i + 0.5) * scale;
    const int begin = std::max(static_cast<int>(center - support + 0.5), 0);
    const int end = std::min(static_cast<int>(center + support + 0.5), input);
    double sum = 0;
    for (int k = begin; k < end; ++k)
      sum += exact[k - begin] = std::max(0.0, 1 - std::abs((k - center + 0.5) / support));
    // All taps must lie inside the line, so that the inner loops need no bounds.
    const int first = std::min(begin, input - filter.taps);
    filter.first[i] = first;
    for (int k = begin; k < end; ++k) {
      filter.weights[size_t(i) * filter.taps + k - first] =
          static_cast<int32_t>(exact[k - begin] / sum * (1 << kFractionBits) + 0.5);
    }
  }
  return filter;
}

uint8_t round_to_byte(int32_t value) { return static_cast<uint8_t>(std::clamp(value >> kFractionBits, 0, 255)); }

// [height, input, 3] with `stride` bytes a row -> [height, output, 3]
void resample_columns(const uint8_t* in, size_t stride, int height, const Filter& filter, uint8_t* out) {
  const int width = static_cast<int>(filter.first.size());
  for (int y = 0; y < height; ++y, in += stride) {
    for (int x = 0; x < width; ++x) {
      const uint8_t* pixel = in + 3 * filter.first[x];
      const int32_t* weight = filter.weights.data() + size_t(x) * filter.taps;
      int32_t red = 1 << (kFractionBits - 1), green = red, blue = red;
      for (int k = 0; k < filter.taps; ++k, pixel += 3) {
        red += pixel[0] * weight[k];
        green += pixel[1] * weight[k];
        blue += pixel[2] * weight[k];
      }
      *out++ = round_to_byte(red), *out++ = round_to_byte(green), *out++ = round_to_byte(blue);
    }
  }
}

// [input, row] -> [output, row], a row being so many bytes
void resample_rows(const uint8_t* in, int row, const Filter& filter, uint8_t* out) {
  std::vector<int32_t> sums(row);
  for (size_t y = 0; y < filter.first.size(); ++y) {
    std::fill(sums.begin(), sums.end(), 1 << (kFractionBits - 1));
    for (int k = 0; k < filter.taps; ++k) {
      const int32_t weight = filter.weights[y * filter.taps + k];
      if (weight == 0) continue;
      const uint8_t* line = in + size_t(filter.first[y] + k) * row;
      for (int i = 0; i < row; ++i) sums[i] += line[i] * weight;
    }
    for (int i = 0; i < row; ++i) *out++ = round_to_byte(sums[i]);
  }
}

}  // namespace

Box random_resized_crop_box(int height, int width, Range scale, Range ratio, RandomStream& random) {
  const double area = static_cast<double>(height) * width;
  for (int attempt = 0; attempt < 10; ++attempt) {
    const double target = area * random.uniform(scale.low, scale.high);
    const double aspect = std::exp(random.uniform(std::log(ratio.low), std::log(ratio.high)));
    const auto w = static_cast<int>(std::nearbyint(std::sqrt(target * aspect)));
    const auto h = static_cast<int>(std::nearbyint(std::sqrt(target / aspect)));
    if (w < 1 || w > width || h < 1 || h > height) continue;
    const auto y = static_cast<double>(random.integer(height - h + 1));
    const auto x = static_cast<double>(random.integer(width - w + 1));
    return {x, y, static_cast<double>(w), static_cast<double>(h)};
  }
  // Ten misses: the largest central box whose ratio is allowed.
  const double own = static_cast<double>(width) / height;
  const int w = own > ratio.high ? static_cast<int>(std::nearbyint(height * ratio.high)) : width;
  const int h = own < ratio.low ? static_cast<int>(std::nearbyint(width / ratio.low)) : height;
  return {double((width - w) / 2), double((height - h) / 2), double(w), double(h)};
}

Image resized_crop(const Image& image, const Box& box, int height, int width) {
  const int x = static_cast<int>(std::lround(box.x)), y = static_cast<int>(std::lround(box.y));
  const int w = static_cast<int>(std::lround(box.width)), h = static_cast<int>(std::lround(box.height));
  FREEATM_CHECK(x >= 0 && y >= 0 && w > 0 && h > 0 && x + w <= image.width && y + h <= image.height,
                "a crop of {}x{} at {}, {} of a picture of {}x{}", w, h, x, y, image.width, image.height);
  std::vector<uint8_t> narrow(size_t(h) * width * 3);  // [h, width, 3]: PIL resamples along the rows first
  resample_columns(image.row(y) + 3 * x, size_t(image.width) * 3, h, triangle_filter(w, width), narrow.data());
  Image out(height, width);
  resample_rows(narrow.data(), width * 3, triangle_filter(h, height), out.pixels.data());
  return out;
}

void flip(Image& image) {
  for (int y = 0; y < image.height; ++y) {
    uint8_t* row = image.row(y);
    for (int left = 0, right = image.width - 1; left < right; ++left, --right) {
      std::swap_ranges(row + 3 * left, row + 3 * left + 3, row + 3 * right);
    }
  }
}

}  // namespace freeatm::vision
