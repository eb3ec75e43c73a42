// SPDX-License-Identifier: Apache-2.0
// Crops, flips, and the separable resampler that equals PIL's: OpenCV's filters do not widen when they shrink.
#include <algorithm>
#include <cmath>

#include "freeatm/vision/transforms.h"

#include "pixel_box.h"

namespace freeatm::vision {
namespace {

constexpr int kFractionBits = 22;  // PIL's fixed point: 32 bits less 8 of the pixel and 2 to spare

// What each output pixel of one axis is made of: `count` weights from the input pixel `first` on.
struct Taps {
  int count = 0;
  std::vector<int> first;        // [size]
  std::vector<int32_t> weights;  // [size, count], fixed point; what an output does not need is 0
};

double triangle(double x) { return std::max(0.0, 1 - std::abs(x)); }

double cubic(double x) {  // Keys 1981, a = -0.5
  constexpr double a = -0.5;
  x = std::abs(x);
  if (x < 1) return ((a + 2) * x - (a + 3)) * x * x + 1;
  return x < 2 ? (((x - 5) * x + 8) * x - 4) * a : 0;
}

// The filter, as wide as output pixels are where the picture shrinks, cut off at the borders and normalised.
Taps make_taps(Filter filter, int input, int output) {
  const double scale = static_cast<double>(input) / output, stretch = std::max(scale, 1.0);
  const double support = (filter == Filter::kBicubic ? 2 : 1) * stretch;
  Taps taps;
  taps.count = std::min(static_cast<int>(std::ceil(support)) * 2 + 1, input);
  taps.first.resize(output);
  taps.weights.resize(size_t(output) * taps.count);
  std::vector<double> exact(taps.count);
  for (int i = 0; i < output; ++i) {
    const double center = (i + 0.5) * scale;
    const int begin = std::max(static_cast<int>(center - support + 0.5), 0);
    const int end = std::min(static_cast<int>(center + support + 0.5), input);
    double sum = 0;
    for (int k = begin; k < end; ++k) {
      const double x = (k - center + 0.5) * (1 / stretch);
      sum += exact[k - begin] = filter == Filter::kBicubic ? cubic(x) : triangle(x);
    }
    // All taps must lie inside the line, so that the inner loops need no bounds.
    taps.first[i] = std::min(begin, input - taps.count);
    int32_t* weights = taps.weights.data() + size_t(i) * taps.count + (begin - taps.first[i]);
    for (int k = 0; k < end - begin; ++k) {
      const double weight = exact[k] / sum * (1 << kFractionBits);
      weights[k] = static_cast<int32_t>(weight + (weight < 0 ? -0.5 : 0.5));
    }
  }
  return taps;
}

uint8_t round_to_byte(int32_t value) { return static_cast<uint8_t>(std::clamp(value >> kFractionBits, 0, 255)); }

// [height, input, 3] with `stride` bytes a row -> [height, output, 3]
void resample_columns(const uint8_t* in, size_t stride, int height, const Taps& taps, uint8_t* out) {
  const int width = static_cast<int>(taps.first.size());
  for (int y = 0; y < height; ++y, in += stride) {
    for (int x = 0; x < width; ++x) {
      const uint8_t* pixel = in + 3 * taps.first[x];
      const int32_t* weight = taps.weights.data() + size_t(x) * taps.count;
      int32_t red = 1 << (kFractionBits - 1), green = red, blue = red;
      for (int k = 0; k < taps.count; ++k, pixel += 3) {
        red += pixel[0] * weight[k];
        green += pixel[1] * weight[k];
        blue += pixel[2] * weight[k];
      }
      *out++ = round_to_byte(red), *out++ = round_to_byte(green), *out++ = round_to_byte(blue);
    }
  }
}

__attribute__((target_clones("avx2", "default"))) void add_line(const uint8_t* line, int32_t weight, int size,
                                                                int32_t* sums) {
  for (int i = 0; i < size; ++i) sums[i] += line[i] * weight;
}

__attribute__((target_clones("avx2", "default"))) void round_line(const int32_t* sums, int size, uint8_t* out) {
  for (int i = 0; i < size; ++i) out[i] = round_to_byte(sums[i]);
}

// [input, row] with `stride` bytes a row -> [output, row], a row being so many bytes
void resample_rows(const uint8_t* in, size_t stride, int row, const Taps& taps, uint8_t* out) {
  std::vector<int32_t> sums(row);
  for (size_t y = 0; y < taps.first.size(); ++y) {
    std::fill(sums.begin(), sums.end(), 1 << (kFractionBits - 1));
    for (int k = 0; k < taps.count; ++k) {
      const int32_t weight = taps.weights[y * taps.count + k];
      if (weight == 0) continue;
      add_line(in + size_t(taps.first[y] + k) * stride, weight, row, sums.data());
    }
    round_line(sums.data(), row, out);
    out += row;
  }
}

}  // namespace

Image crop(const Image& image, const Box& box) {
  const PixelBox pixels = whole_pixels(box, image.height, image.width);
  Image out(pixels.height, pixels.width);
  for (int row = 0; row < out.height; ++row)
    std::copy_n(image.row(pixels.y + row) + 3 * pixels.x, 3 * out.width, out.row(row));
  return out;
}

Image resized_crop(const Image& image, const Box& box, int height, int width, Filter filter) {
  const PixelBox crop = whole_pixels(box, image.height, image.width);
  const uint8_t* first = image.row(crop.y) + 3 * crop.x;
  const size_t stride = size_t(image.width) * 3;
  const Taps columns = make_taps(filter, crop.width, width), rows = make_taps(filter, crop.height, height);
  Image out(height, width);
  // PIL 13's order; what lies between the passes is rounded to bytes, so the order shows in the result. PIL up to 12
  // always resampled the columns first.
  const int fewer_rows = crop.height - height, fewer_columns = crop.width - width;
  if (fewer_rows > 0 && fewer_rows > 2 * fewer_columns) {
    std::vector<uint8_t> low(size_t(height) * crop.width * 3);  // [height, crop.width, 3]
    resample_rows(first, stride, crop.width * 3, rows, low.data());
    resample_columns(low.data(), size_t(crop.width) * 3, height, columns, out.pixels.data());
  } else {
    std::vector<uint8_t> narrow(size_t(crop.height) * width * 3);  // [crop.height, width, 3]
    resample_columns(first, stride, crop.height, columns, narrow.data());
    resample_rows(narrow.data(), size_t(width) * 3, width * 3, rows, out.pixels.data());
  }
  return out;
}

Image resize(const Image& image, int height, int width, Filter filter) {
  return resized_crop(image, {0, 0, double(image.width), double(image.height)}, height, width, filter);
}

Image resize_shorter_side(const Image& image, int side, Filter filter) {
  const auto longer = [&](int own, int other) { return static_cast<int>(int64_t{side} * own / other); };
  return image.width <= image.height ? resize(image, longer(image.height, image.width), side, filter)
                                     : resize(image, side, longer(image.width, image.height), filter);
}

Image center_crop(const Image& image, int side) {
  // nearbyint: Python's round(), half to even.
  const double x = std::nearbyint((image.width - side) / 2.0), y = std::nearbyint((image.height - side) / 2.0);
  return crop(image, {x, y, double(side), double(side)});
}

Image center_square(const Image& image, int side) {
  if (image.height == side && image.width == side) return image;
  const int own = std::min(image.height, image.width);
  const Box middle{double((image.width - own) / 2), double((image.height - own) / 2), double(own), double(own)};
  return resized_crop(image, middle, side, side);
}

void horizontal_flip(Image& image) {
  for (int y = 0; y < image.height; ++y) {
    uint8_t* row = image.row(y);
    for (int left = 0, right = image.width - 1; left < right; ++left, --right) {
      std::swap_ranges(row + 3 * left, row + 3 * left + 3, row + 3 * right);
    }
  }
}

void vertical_flip(Image& image) {
  for (int top = 0, bottom = image.height - 1; top < bottom; ++top, --bottom)
    std::swap_ranges(image.row(top), image.row(top + 1), image.row(bottom));
}

}  // namespace freeatm::vision
