// SPDX-License-Identifier: Apache-2.0
#include "redraw.h"

#include <algorithm>
#include <cmath>

#include <opencv2/imgproc.hpp>

namespace freeatm::world {
namespace {

constexpr float kPaler = 0.1f, kInk = 0.35f;  // of kOutline: towards white, then towards black on the lines
constexpr float kTowardsMean = 0.4f;          // of kFlat

/// How much a line goes through each pixel, in [0, 1]: where any of the four channels changes within a few pixels.
cv::Mat1f lines(const cv::Mat4f& sprite) {
  constexpr int kWidth = 5;  // of 128 pixels
  const int width = std::max(2, static_cast<int>(std::lround(kWidth * sprite.cols / 128.0)));
  const cv::Mat window = cv::getStructuringElement(cv::MORPH_ELLIPSE, {width, width});
  cv::Mat most, least;
  cv::dilate(sprite, most, window);
  cv::erode(sprite, least, window);
  cv::Mat1f out(sprite.size());
  for (int y = 0; y < out.rows; ++y) {
    for (int x = 0; x < out.cols; ++x) {
      const cv::Vec4f range = most.at<cv::Vec4f>(y, x) - least.at<cv::Vec4f>(y, x);
      out(y, x) = std::clamp(3 * *std::max_element(range.val, range.val + 4) - 0.3f, 0.0f, 1.0f);
    }
  }
  return out;
}

cv::Vec3f mean_colour(const cv::Mat4f& sprite) {
  const cv::Scalar sum = cv::sum(sprite);
  return {static_cast<float>(sum[0] / sum[3]), static_cast<float>(sum[1] / sum[3]),
          static_cast<float>(sum[2] / sum[3])};
}

}  // namespace

cv::Mat4f redraw(const cv::Mat4f& sprite, Style style) {
  if (style == Style::kOwn) return sprite;
  const cv::Mat1f ink = lines(sprite);
  const cv::Vec3f mean = mean_colour(sprite);
  cv::Mat4f out = sprite.clone();
  for (int y = 0; y < out.rows; ++y) {
    for (int x = 0; x < out.cols; ++x) {
      cv::Vec4f& pixel = out(y, x);
      const float alpha = pixel[3];
      for (int c = 0; c < 3; ++c) {
        const float paler = pixel[c] + kPaler * (alpha - pixel[c]);
        pixel[c] = style == Style::kFlat ? pixel[c] + kTowardsMean * (mean[c] * alpha - pixel[c])
                                         : paler * (1 - kInk * ink(y, x));
      }
    }
  }
  return out;
}

}  // namespace freeatm::world
