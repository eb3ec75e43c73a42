// SPDX-License-Identifier: Apache-2.0
// Changes of colour as torchvision makes them on uint8 tensors: float arithmetic, cut off (not rounded) to bytes after
// each step.
#include <algorithm>
#include <array>
#include <cmath>

#include <opencv2/imgproc.hpp>

#include "freeatm/core/error.h"
#include "freeatm/vision/transforms.h"

namespace freeatm::vision {
namespace {

uint8_t to_byte(float value) { return static_cast<uint8_t>(std::clamp(value, 0.0f, 255.0f)); }

// ITU-R 601's luma with torchvision's rounded coefficients.
uint8_t luma(const uint8_t* pixel) { return to_byte(0.2989f * pixel[0] + 0.587f * pixel[1] + 0.114f * pixel[2]); }

template <class F>
void map_values(Image& image, F function) {  // through a table of the 256 values
  std::array<uint8_t, 256> table;
  for (int value = 0; value < 256; ++value) table[value] = function(value);
  for (uint8_t& value : image.pixels) value = table[value];
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
  // In HSV a turn of the hue leaves value and saturation, so each channel is value minus chroma times a trapezoid of
  // its hue: c(n) = v - chroma * clamp(min(k, 4 - k), 0, 1), k = (n + 6 hue) mod 6, n = 5, 3, 1 for red, green, blue.
  const auto turn = static_cast<float>(shift * 6);
  map_pixels(image, [=](uint8_t* pixel) {
    const float r = pixel[0], g = pixel[1], b = pixel[2];
    const float value = std::max({r, g, b}), chroma = value - std::min({r, g, b});
    if (chroma == 0) return;
    const float sector = value == r ? (g - b) / chroma : value == g ? 2 + (b - r) / chroma : 4 + (r - g) / chroma;
    for (int c = 0; c < 3; ++c) {
      float k = static_cast<float>(5 - 2 * c) + sector + turn;  // from 1 - 1 - 3 to 5 + 5 + 3
      k -= 6 * std::floor(k * (1.0f / 6));
      const float exact = value - chroma * std::clamp(std::min(k, 4 - k), 0.0f, 1.0f);
      pixel[c] = to_byte(exact * (255.999f / 255));  // torchvision's way from [0, 1] back to bytes
    }
  });
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
