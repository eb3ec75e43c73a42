// SPDX-License-Identifier: Apache-2.0
#include "freeatm/vision/paste.h"

#include <algorithm>

#include <opencv2/imgproc.hpp>

#include "freeatm/core/error.h"

namespace freeatm::vision {

void fill_from_nearest(Image& image, const std::vector<uint8_t>& mask) {
  FREEATM_CHECK(mask.size() * 3 == image.pixels.size(), "a mask of {} for {} x {}", mask.size(), image.width,
                image.height);
  const auto outside = std::ranges::count(mask, uint8_t{0});
  if (outside == 0 || outside == std::ssize(mask)) return;
  const cv::Mat inside(image.height, image.width, CV_8U, const_cast<uint8_t*>(mask.data()));
  cv::Mat distance, label;  // the label of a pixel inside is that of the nearest one outside, each of which has its own
  cv::distanceTransform(inside, distance, label, cv::DIST_L2, cv::DIST_MASK_5, cv::DIST_LABEL_PIXEL);
  std::vector<size_t> place_of(static_cast<size_t>(outside) + 1);
  const auto* labels = label.ptr<int>();
  for (size_t i = 0; i < mask.size(); ++i) {
    if (mask[i] == 0) place_of[labels[i]] = i;
  }
  for (size_t i = 0; i < mask.size(); ++i) {
    if (mask[i] != 0) std::copy_n(&image.pixels[place_of[labels[i]] * 3], 3, &image.pixels[i * 3]);
  }
}

Image paste(const Image& image, const std::vector<uint8_t>& mask, Image background) {
  FREEATM_CHECK(mask.size() * 3 == image.pixels.size() && background.pixels.size() == image.pixels.size() &&
                    background.width == image.width,
                "{} x {} on {} x {}", image.width, image.height, background.width, background.height);
  for (size_t i = 0; i < mask.size(); ++i) {
    if (mask[i] != 0) std::copy_n(&image.pixels[i * 3], 3, &background.pixels[i * 3]);
  }
  return background;
}

}  // namespace freeatm::vision
