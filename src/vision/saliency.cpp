// SPDX-License-Identifier: Apache-2.0
#include "freeatm/vision/saliency.h"

#include <algorithm>
#include <numeric>
#include <vector>

#include <opencv2/imgproc.hpp>

namespace freeatm::vision {
namespace {

// [height, width] float: how far each colour lies from the border's, in deviations.
cv::Mat distance_from_border(const Image& image) {
  const cv::Mat pixels(image.height, image.width, CV_8UC3, const_cast<uint8_t*>(image.pixels.data()));
  cv::Mat colours, lab;
  pixels.convertTo(colours, CV_32F, 1.0 / 255);
  cv::cvtColor(colours, lab, cv::COLOR_RGB2Lab);
  const int margin = std::max(1, std::min(image.height, image.width) / 10);
  std::vector<cv::Vec3f> border;
  for (int y = 0; y < image.height; ++y) {
    for (int x = 0; x < image.width; ++x) {
      const bool inner = y >= margin && y < image.height - margin && x >= margin && x < image.width - margin;
      if (!inner) border.push_back(lab.at<cv::Vec3f>(y, x));
    }
  }
  const cv::Mat samples(static_cast<int>(border.size()), 3, CV_32F, border.data());
  cv::Mat covariance, mean;
  cv::calcCovarMatrix(samples, covariance, mean, cv::COVAR_NORMAL | cv::COVAR_ROWS | cv::COVAR_SCALE, CV_64F);
  const cv::Matx33d flat = cv::Matx33d::eye();  // one Lab unit: a border of one colour has no deviation of its own
  const cv::Matx33d inverse = (cv::Matx33d(covariance) + flat).inv();
  const cv::Vec3d centre(mean.at<double>(0), mean.at<double>(1), mean.at<double>(2));
  cv::Mat distance(image.height, image.width, CV_32F);
  for (int y = 0; y < image.height; ++y) {
    for (int x = 0; x < image.width; ++x) {
      const cv::Vec3d difference = cv::Vec3d(lab.at<cv::Vec3f>(y, x)) - centre;
      distance.at<float>(y, x) = static_cast<float>(std::sqrt(difference.dot(inverse * difference)));
    }
  }
  return distance;
}

}  // namespace

MaskSet salient_regions(const Image& image, int64_t max_count, double min_share) {
  cv::Mat distance = distance_from_border(image), bytes, above;
  const double sigma = std::min(image.height, image.width) / 64.0;
  cv::GaussianBlur(distance, distance, {}, sigma);
  cv::normalize(distance, bytes, 0, 255, cv::NORM_MINMAX, CV_8U);
  cv::threshold(bytes, above, 0, 1, cv::THRESH_BINARY | cv::THRESH_OTSU);
  cv::Mat labels, stats, centroids;
  const int pieces = cv::connectedComponentsWithStats(above, labels, stats, centroids);
  std::vector<int> order;
  for (int i = 1; i < pieces; ++i) {  // 0 is what lies below the threshold
    if (stats.at<int>(i, cv::CC_STAT_AREA) >= min_share * image.height * image.width) order.push_back(i);
  }
  std::ranges::stable_sort(order, std::greater(), [&](int i) { return stats.at<int>(i, cv::CC_STAT_AREA); });
  order.resize(std::min<size_t>(order.size(), max_count));
  MaskSet masks(image.height, image.width);
  for (const int piece : order) {
    const cv::Mat mask = labels == piece;  // 0 or 255
    std::vector<uint8_t> values(mask.begin<uint8_t>(), mask.end<uint8_t>());
    for (uint8_t& value : values) value = value != 0;
    masks.add(values);
  }
  return masks;
}

}  // namespace freeatm::vision
