// SPDX-License-Identifier: Apache-2.0
#include "freeatm/vision/boundary.h"

#include <algorithm>
#include <cmath>

#include <opencv2/imgproc.hpp>

namespace freeatm::vision {
namespace {

// 1 where a pixel differs from its right, lower or lower right neighbour.
cv::Mat outline(const uint8_t* mask, int height, int width) {
  cv::Mat out(height, width, CV_8U);
  for (int y = 0; y < height; ++y) {
    for (int x = 0; x < width; ++x) {
      const int right = std::min(x + 1, width - 1), below = std::min(y + 1, height - 1);
      const uint8_t here = mask[y * width + x];
      out.at<uint8_t>(y, x) =
          here != mask[y * width + right] || here != mask[below * width + x] || here != mask[below * width + right];
    }
  }
  return out;
}

cv::Mat disk(int radius) {
  cv::Mat out(2 * radius + 1, 2 * radius + 1, CV_8U);
  for (int y = -radius; y <= radius; ++y) {
    for (int x = -radius; x <= radius; ++x) out.at<uint8_t>(y + radius, x + radius) = x * x + y * y <= radius * radius;
  }
  return out;
}

}  // namespace

double boundary_f_measure(const uint8_t* mask, const uint8_t* reference, int height, int width, double tolerance) {
  const cv::Mat ours = outline(mask, height, width), theirs = outline(reference, height, width);
  const double our_count = cv::sum(ours)[0], their_count = cv::sum(theirs)[0];
  if (our_count == 0 && their_count == 0) return 1;
  if (our_count == 0 || their_count == 0) return 0;
  const cv::Mat near = disk(static_cast<int>(std::ceil(tolerance * std::hypot(height, width))));
  cv::Mat around_ours, around_theirs;
  cv::dilate(ours, around_ours, near);
  cv::dilate(theirs, around_theirs, near);
  const double precision = cv::sum(ours.mul(around_theirs))[0] / our_count,
               recall = cv::sum(theirs.mul(around_ours))[0] / their_count;
  return precision + recall == 0 ? 0 : 2 * precision * recall / (precision + recall);
}

}  // namespace freeatm::vision
