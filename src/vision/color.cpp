// SPDX-License-Identifier: Apache-2.0
// Changes of colour as torchvision makes them on uint8 tensors: float arithmetic, cut off (not rounded) to bytes after
// each step.
#include <algorithm>
#include <cmath>

#include <opencv2/imgproc.hpp>

#include "freeatm/core/error.h"
#include "freeatm/vision/transforms.h"

#include "value_table.h"

namespace freeatm::vision {
namespace {

uint8_t to_byte(float value) { return static_cast<uint8_t>(std::clamp(value, 0.0f, 255.0f)); }

// ITU-R 601's luma with torchvision's rounded coefficients.
uint8_t luma(const uint8_t* pixel) { return to_byte(0.2989f * pixel[0] + 0.587f * pixel[1] + 0.114f * pixel[2]); }

constexpr int64_t kBlock = 64;  // pixels at once

/// In HSV a turn of the hue leaves value and saturation, so each channel is value minus chroma times a trapezoid of its
/// hue: c(n) = v - chroma * clamp(min(k, 4 - k), 0, 1), k = (n + 6 hue) mod 6, n = 5, 3, 1 for red, green, blue.
///   rgb: [3, kBlock], bytes before and after; no branches, so that the compiler takes many pixels at once
__attribute__((target_clones("avx2", "default"))) void turn_hues(float (&rgb)[3][kBlock], float turn) {
  for (int64_t i = 0; i < kBlock; ++i) {
    const float r = rgb[0][i], g = rgb[1][i], b = rgb[2][i];
    const float value = std::max(std::max(r, g), b), chroma = value - std::min(std::min(r, g), b);
    const float scale = 1 / std::max(chroma, 1.0f);  // the hue of a grey does not matter
    const float green_or_blue = value == g ? 2 + (b - r) * scale : 4 + (r - g) * scale;
    const float sector = (value == r ? (g - b) * scale : green_or_blue) + turn;
    for (int c = 0; c < 3; ++c) {
      float k = static_cast<float>(5 - 2 * c) + sector;  // from 1 - 1 - 3 to 5 + 5 + 3
      k = k < 0 ? k + 6 : k;
      k = k >= 6 ? k - 6 : k;
      k = k >= 6 ? k - 6 : k;
      const float trapezoid = std::min(std::max(std::min(k, 4 - k), 0.0f), 1.0f);
      rgb[c][i] = (value - chroma * trapezoid) * (255.999f / 255);  // torchvision's way from [0, 1] back to bytes
    }
  }
}

template <class F>
void map_pixels(Image& image, F function) {
  for (uint8_t *pixel = image.pixels.data(), *end = pixel + image.pixels.size(); pixel != end; pixel += 3)
    function(pixel);
}

}  // namespace

void adjust_brightness(Image& image, double factor) {
  const auto ratio = static_cast<float>(factor);
  map_values(image, [=](int value) { return to_byte(ratio * value); });
}

void adjust_contrast(Image& image, double factor) {
  int64_t sum = 0;
  map_pixels(image, [&](const uint8_t* pixel) { sum += luma(pixel); });
  const auto mean = static_cast<float>(static_cast<double>(sum) / (image.pixels.size() / 3));
  const auto ratio = static_cast<float>(factor), rest = static_cast<float>(1 - factor) * mean;
  map_values(image, [=](int value) { return to_byte(ratio * value + rest); });
}

void adjust_saturation(Image& image, double factor) {
  const auto ratio = static_cast<float>(factor), rest = static_cast<float>(1 - factor);
  map_pixels(image, [=](uint8_t* pixel) {
    const float grey = rest * luma(pixel);
    for (int c = 0; c < 3; ++c) pixel[c] = to_byte(ratio * pixel[c] + grey);
  });
}

void adjust_hue(Image& image, double shift) {
  const auto count = static_cast<int64_t>(image.pixels.size()) / 3;
  float rgb[3][kBlock] = {};
  for (int64_t begin = 0; begin < count; begin += kBlock) {
    const int64_t size = std::min(kBlock, count - begin);
    uint8_t* pixels = image.pixels.data() + 3 * begin;
    for (int64_t i = 0; i < size; ++i) {
      for (int c = 0; c < 3; ++c) rgb[c][i] = pixels[3 * i + c];
    }
    turn_hues(rgb, static_cast<float>(shift * 6));
    for (int64_t i = 0; i < size; ++i) {
      for (int c = 0; c < 3; ++c) pixels[3 * i + c] = to_byte(rgb[c][i]);
    }
  }
}

void grayscale(Image& image) {
  map_pixels(image, [](uint8_t* pixel) { std::fill_n(pixel, 3, luma(pixel)); });
}

void gaussian_blur(Image& image, double sigma, int kernel_size) {
  if (kernel_size == 0) kernel_size = 2 * static_cast<int>(std::ceil(3 * sigma)) + 1;
  FREEATM_CHECK(sigma > 0 && kernel_size % 2 == 1, "a blur of sigma {} over {} pixels", sigma, kernel_size);
  const cv::Mat kernel = cv::getGaussianKernel(kernel_size, sigma, CV_32F);
  cv::Mat bytes(image.height, image.width, CV_8UC3, image.pixels.data()), floats;
  bytes.convertTo(floats, CV_32F);  // OpenCV's own blur of bytes has 8-bit weights: 2/255 away
  cv::sepFilter2D(floats, floats, -1, kernel, kernel, {-1, -1}, 0, cv::BORDER_REFLECT_101);
  floats.convertTo(bytes, CV_8U);
}

void solarize(Image& image, int threshold) {
  map_values(image, [=](int value) { return static_cast<uint8_t>(value >= threshold ? 255 - value : value); });
}

}  // namespace freeatm::vision
