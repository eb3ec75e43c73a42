// SPDX-License-Identifier: Apache-2.0
#include "segmentation_examples.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <map>
#include <numeric>
#include <utility>

#include "freeatm/core/error.h"
#include "freeatm/core/format.h"
#include "freeatm/data/pixels.h"
#include "freeatm/evaluation/examples.h"
#include "freeatm/vision/transforms.h"

namespace freeatm::evaluation {
namespace {

using vision::Image;
using vision::LabelMap;
using Colours = std::array<std::array<uint8_t, 3>, 256>;

constexpr size_t kNamedClasses = 4;
constexpr int kMostPixels = 320;  // of the longer side: more do not show
constexpr int kPaper = 200;       // where nobody has the picture
constexpr uint8_t kMissed = 1;

Colours palette() {
  Colours colours;
  for (int label = 0; label < 256; ++label) colours[label] = vision::label_color(static_cast<uint8_t>(label));
  return colours;
}

/// The picture in grey, in the colours of the map where that has a label.
Image painted(const Image& image, const LabelMap& map, const Colours& colours) {
  Image out(map.height, map.width);
  for (size_t i = 0; i < map.labels.size(); ++i) {
    int grey = kPaper;
    if (!image.empty()) grey = (image.pixels[3 * i] + image.pixels[3 * i + 1] + image.pixels[3 * i + 2]) / 3;
    const uint8_t label = map.labels[i];
    for (int c = 0; c < 3; ++c)
      out.pixels[3 * i + c] =
          static_cast<uint8_t>(label == LabelMap::kIgnored ? grey : (2 * grey + 3 * colours[label][c]) / 5);
  }
  return out;
}

Image at_most(const Image& image, int side) {
  const double scale = static_cast<double>(side) / std::max(image.height, image.width);
  if (scale >= 1) return image;
  const auto scaled = [&](int length) { return std::max(1, static_cast<int>(std::lround(length * scale))); };
  return vision::resize(image, scaled(image.height), scaled(image.width));
}

std::string in_percent(int64_t part, int64_t whole) {
  return format("{} %", std::round(1000 * static_cast<double>(part) / static_cast<double>(whole)) / 10);
}

/// "sky, road, car, tree and 3 more", the largest first.
std::string classes_in(const LabelMap& map, const std::vector<std::string>& names) {
  std::array<int64_t, 256> pixels{};
  for (const uint8_t label : map.labels) ++pixels[label];
  std::vector<size_t> order(names.size());
  std::iota(order.begin(), order.end(), size_t{0});
  std::ranges::stable_sort(order, [&](size_t a, size_t b) { return pixels[a] > pixels[b]; });
  const auto count = static_cast<size_t>(std::ranges::count_if(order, [&](size_t k) { return pixels[k] > 0; }));
  std::string text;
  for (size_t i = 0; i < std::min(count, kNamedClasses); ++i) text += (i > 0 ? ", " : "") + names[order[i]];
  return count > kNamedClasses ? format("{} and {} more", text, count - kNamedClasses) : text;
}

int64_t judged_pixels(const LabelMap& truth) {
  return std::ssize(truth.labels) - std::ranges::count(truth.labels, LabelMap::kIgnored);
}

/// Which class is taken for which, most often; pixels.
struct Confusion {
  uint8_t truth, prediction;
  int64_t pixels;
};

Confusion worst_confusion(const LabelMap& truth, const LabelMap& prediction) {
  std::map<std::pair<uint8_t, uint8_t>, int64_t> pixels;
  for (size_t i = 0; i < truth.labels.size(); ++i) {
    if (truth.labels[i] != LabelMap::kIgnored && truth.labels[i] != prediction.labels[i])
      ++pixels[{truth.labels[i], prediction.labels[i]}];
  }
  const auto most = std::ranges::max_element(pixels, {}, [](const auto& one) { return one.second; });
  return {most->first.first, most->first.second, most->second};
}

}  // namespace

double share_wrong(const LabelMap& truth, const LabelMap& prediction) {
  int64_t wrong = 0;
  for (size_t i = 0; i < truth.labels.size(); ++i)
    wrong += (truth.labels[i] != LabelMap::kIgnored) & (truth.labels[i] != prediction.labels[i]);
  return static_cast<double>(wrong) / static_cast<double>(std::max<int64_t>(1, judged_pixels(truth)));
}

void SegmentationExamples::add(const std::string& key, const Image& image, const LabelMap& truth,
                               const LabelMap& prediction) {
  FREEATM_CHECK(image.empty() || (image.height == truth.height && image.width == truth.width),
                "{}: a picture of {}x{} with a map of {}x{}", key, image.width, image.height, truth.width,
                truth.height);
  const double share = share_wrong(truth, prediction);
  if (!is_among_the_worst(share)) return;

  LabelMap missed(truth.height, truth.width);
  for (size_t i = 0; i < truth.labels.size(); ++i) {
    if (truth.labels[i] != LabelMap::kIgnored && truth.labels[i] != prediction.labels[i]) missed.labels[i] = kMissed;
  }
  Colours red{};
  red[kMissed] = {255, 0, 0};
  const Confusion most = worst_confusion(truth, prediction);
  const std::string taken_for = most.prediction < class_names_.size() ? class_names_[most.prediction] : "no class";
  Picture picture{key, share, {}};
  if (!image.empty()) picture.cells.push_back({at_most(image, kMostPixels), ""});
  picture.cells.push_back(
      {at_most(painted(image, truth, palette()), kMostPixels), "truth: " + classes_in(truth, class_names_)});
  picture.cells.push_back({at_most(painted(image, prediction, palette()), kMostPixels),
                           "prediction: " + classes_in(prediction, class_names_)});
  picture.cells.push_back({at_most(painted(image, missed, red), kMostPixels),
                           format("{} taken for {}: {} of the picture", class_names_[most.truth], taken_for,
                                  in_percent(most.pixels, judged_pixels(truth)))});
  keep(std::move(picture));
}

void SegmentationExamples::merge(SegmentationExamples&& other) {
  for (Picture& picture : other.worst_) {
    if (is_among_the_worst(picture.wrong)) keep(std::move(picture));
  }
}

bool SegmentationExamples::is_among_the_worst(double wrong) const {
  return wrong > 0 && (worst_.size() < kMost || wrong > worst_.back().wrong);
}

void SegmentationExamples::keep(Picture picture) {
  const auto place = std::ranges::find_if(worst_, [&](const Picture& one) { return one.wrong < picture.wrong; });
  worst_.insert(place, std::move(picture));
  if (worst_.size() > kMost) worst_.pop_back();
}

void SegmentationExamples::write(const fs::path& folder) const {
  Examples examples;
  for (const Picture& picture : worst_) {
    std::vector<Examples::Cell> cells;
    for (const Cell& cell : picture.cells) cells.push_back({data::pixels(cell.picture), cell.text, std::nullopt});
    cells.back().is_right = false;
    examples.add(format("{}: {} % wrong", picture.key, std::round(1000 * picture.wrong) / 10), std::move(cells));
  }
  examples.write(folder);
}

}  // namespace freeatm::evaluation
