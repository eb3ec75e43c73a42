// SPDX-License-Identifier: Apache-2.0
#include "detection_examples.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <numeric>
#include <utility>

#include "freeatm/core/format.h"
#include "freeatm/data/pixels.h"
#include "freeatm/evaluation/examples.h"
#include "freeatm/vision/transforms.h"

namespace freeatm::evaluation {
namespace {

using Colour = std::array<uint8_t, 3>;

constexpr size_t kShownPictures = 24;
constexpr double kShownScore = 0.5, kOverlap = 0.5;
constexpr int kShownSide = 256;  // pixels that the shorter side has at least, so that lines cover little
constexpr Colour kRight{60, 200, 90}, kWrong{235, 60, 50};

void draw_frame(vision::Image& image, const vision::Box& box, double scale, const Colour& colour) {
  constexpr int kLine = 2;
  const auto pixel = [&](double side, int most) {
    return std::clamp(static_cast<int>(std::lround(side * scale)), 0, most - 1);
  };
  const int left = pixel(box.x, image.width), right = pixel(box.x + box.width, image.width);
  const int top = pixel(box.y, image.height), bottom = pixel(box.y + box.height, image.height);
  for (int y = top; y <= bottom; ++y) {
    for (int x = left; x <= right; ++x) {
      const bool is_line = y - top < kLine || bottom - y < kLine || x - left < kLine || right - x < kLine;
      if (is_line) std::ranges::copy(colour, image.row(y) + 3 * x);
    }
  }
}

template <class Shapes>
Examples::Cell shown(const vision::Image& picture, const Shapes& shapes, const std::string& verb) {
  const double scale = std::max(1.0, static_cast<double>(kShownSide) / std::min(picture.height, picture.width));
  vision::Image image = vision::resize(picture, static_cast<int>(std::lround(picture.height * scale)),
                                       static_cast<int>(std::lround(picture.width * scale)));
  std::string wrong;
  for (const auto& shape : shapes) {
    draw_frame(image, shape.box, scale, shape.is_right ? kRight : kWrong);
    if (!shape.is_right) wrong += (wrong.empty() ? "" : ", ") + shape.name;
  }
  const int64_t count = std::ssize(shapes);
  return {.picture = data::pixels(std::move(image)),
          .text = wrong.empty() ? format("{} {}", count, verb) : format("{}: {}", verb, wrong),
          .is_right = wrong.empty()};
}

}  // namespace

DetectionExamples::Picture DetectionExamples::judged(const data::Sample& sample,
                                                     const std::vector<Detection>& found) const {
  Picture picture{.key = sample.key};
  for (const data::Object& object : sample.objects)
    picture.objects.push_back({object.box, class_names_[object.category], object.is_crowd || object.is_difficult});
  std::vector<size_t> order(found.size());
  std::iota(order.begin(), order.end(), size_t{0});
  std::ranges::stable_sort(order, [&](size_t a, size_t b) { return found[a].score > found[b].score; });
  std::vector<bool> taken(sample.objects.size(), false);
  for (const size_t place : order) {
    const Detection& one = found[place];
    if (one.score < kShownScore) break;
    double best = kOverlap;
    std::optional<size_t> match;
    for (size_t i = 0; i < sample.objects.size(); ++i) {
      const data::Object& object = sample.objects[i];
      if (object.category != one.category || (taken[i] && !object.is_crowd)) continue;
      const double overlap = vision::iou(one.box, object.box, object.is_crowd);
      if (overlap >= best) best = overlap, match = i;
    }
    if (match) taken[*match] = picture.objects[*match].is_right = true;
    picture.detections.push_back(
        {one.box, format("{} {}", class_names_[one.category], std::round(100 * one.score) / 100), match.has_value()});
  }
  const auto is_wrong = [](const Shape& shape) { return !shape.is_right; };
  picture.errors =
      std::ranges::count_if(picture.objects, is_wrong) + std::ranges::count_if(picture.detections, is_wrong);
  return picture;
}

void DetectionExamples::add(const data::Sample& sample, const std::vector<Detection>& found) {
  Picture picture = judged(sample, found);
  if (!is_among_the_worst(picture)) return;
  picture.image = sample.image;
  keep(std::move(picture));
}

void DetectionExamples::merge(DetectionExamples&& other) {
  for (Picture& picture : other.worst_) {
    if (is_among_the_worst(picture)) keep(std::move(picture));
  }
}

bool DetectionExamples::is_among_the_worst(const Picture& picture) const {
  return picture.errors > 0 && (worst_.size() < kShownPictures || picture.errors > worst_.back().errors);
}

void DetectionExamples::keep(Picture picture) {
  const auto place = std::ranges::find_if(worst_, [&](const Picture& one) { return one.errors < picture.errors; });
  worst_.insert(place, std::move(picture));
  if (worst_.size() > kShownPictures) worst_.pop_back();
}

void DetectionExamples::write(const fs::path& folder) const {
  Examples examples;
  for (const Picture& picture : worst_) {
    examples.add(format("{}: {} {}", picture.key, picture.errors, picture.errors == 1 ? "error" : "errors"),
                 {shown(picture.image, picture.objects, "objects, missed"),
                  shown(picture.image, picture.detections, "found, false")});
  }
  examples.write(folder);
}

}  // namespace freeatm::evaluation
