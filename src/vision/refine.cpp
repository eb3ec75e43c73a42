// SPDX-License-Identifier: Apache-2.0
#include "freeatm/vision/refine.h"

#include <algorithm>
#include <array>

#include <opencv2/imgproc.hpp>

#include "freeatm/core/error.h"

namespace freeatm::vision {
namespace {

/// Means over the windows around each pixel.
class WindowMean {
 public:
  WindowMean(cv::Size size, int radius) : window_(2 * radius + 1, 2 * radius + 1) {
    count_ = sum(cv::Mat::ones(size, CV_64F));
  }
  cv::Mat operator()(const cv::Mat& values) const { return sum(values) / count_; }

 private:
  cv::Mat sum(const cv::Mat& values) const {
    cv::Mat out;
    cv::boxFilter(values, out, CV_64F, window_, {-1, -1}, /*normalize=*/false, cv::BORDER_CONSTANT);
    return out;
  }
  cv::Size window_;
  cv::Mat count_;
};

std::array<cv::Mat, 3> planes(const Image& image) {
  const cv::Mat bytes(image.height, image.width, CV_8UC3, const_cast<uint8_t*>(image.pixels.data()));
  cv::Mat values;
  bytes.convertTo(values, CV_64F, 1.0 / 255);
  std::array<cv::Mat, 3> out;
  cv::split(values, out.data());
  return out;
}

}  // namespace

std::vector<float> guided_filter(const Image& guide, const std::vector<float>& map, int radius, double epsilon) {
  FREEATM_CHECK(map.size() * 3 == guide.pixels.size(), "{} values for {} x {}", map.size(), guide.width, guide.height);
  const std::array<cv::Mat, 3> colour = planes(guide);
  const WindowMean mean({guide.width, guide.height}, radius);
  cv::Mat p;
  cv::Mat(guide.height, guide.width, CV_32F, const_cast<float*>(map.data())).convertTo(p, CV_64F);

  const cv::Mat mean_p = mean(p);
  std::array<cv::Mat, 3> mean_c, covariance, a;
  std::array<std::array<cv::Mat, 3>, 3> sigma;
  for (int i = 0; i < 3; ++i) {
    mean_c[i] = mean(colour[i]);
    covariance[i] = mean(colour[i].mul(p)) - mean_c[i].mul(mean_p);
    a[i].create(p.size(), CV_64F);
  }
  for (int i = 0; i < 3; ++i) {
    for (int j = 0; j < 3; ++j) sigma[i][j] = mean(colour[i].mul(colour[j])) - mean_c[i].mul(mean_c[j]);
  }
  for (int y = 0; y < guide.height; ++y) {
    for (int x = 0; x < guide.width; ++x) {
      cv::Matx33d s;
      cv::Vec3d c;
      for (int i = 0; i < 3; ++i) {
        c[i] = covariance[i].at<double>(y, x);
        for (int j = 0; j < 3; ++j) s(i, j) = sigma[i][j].at<double>(y, x) + (i == j ? epsilon : 0);
      }
      const cv::Vec3d solved = s.solve(c, cv::DECOMP_CHOLESKY);
      for (int i = 0; i < 3; ++i) a[i].at<double>(y, x) = solved[i];
    }
  }
  cv::Mat b = mean_p.clone();
  for (int i = 0; i < 3; ++i) b -= a[i].mul(mean_c[i]);
  cv::Mat q = mean(b);
  for (int i = 0; i < 3; ++i) q += mean(a[i]).mul(colour[i]);
  return {q.begin<double>(), q.end<double>()};
}

std::vector<uint8_t> grab_cut(const Image& image, const std::vector<float>& map, const std::vector<uint8_t>& mask,
                              double threshold, int iterations) {
  FREEATM_CHECK(map.size() * 3 == image.pixels.size() && mask.size() == map.size(), "{} and {} values for {} x {}",
                map.size(), mask.size(), image.width, image.height);
  std::vector<uint8_t> labels(map.size());
  std::ranges::transform(map, mask, labels.begin(), [&](double value, uint8_t inside) -> uint8_t {
    if (inside != 0) return value > (1 + threshold) / 2 ? cv::GC_FGD : cv::GC_PR_FGD;
    return value < threshold / 2 ? cv::GC_BGD : cv::GC_PR_BGD;
  });
  const auto is_object = [](uint8_t label) { return label == cv::GC_FGD || label == cv::GC_PR_FGD; };
  const auto objects = std::ranges::count_if(labels, is_object);
  if (objects > 0 && objects < std::ssize(labels)) {
    const cv::Mat pixels(image.height, image.width, CV_8UC3, const_cast<uint8_t*>(image.pixels.data()));
    cv::Mat label(image.height, image.width, CV_8U, labels.data()), background, foreground;
    cv::theRNG().state = 1;  // k-means draws from it: a mask must not depend on what was cut before
    cv::grabCut(pixels, label, {}, background, foreground, iterations, cv::GC_INIT_WITH_MASK);
  }
  std::ranges::transform(labels, labels.begin(), [&](uint8_t label) -> uint8_t { return is_object(label); });
  return labels;
}

}  // namespace freeatm::vision
