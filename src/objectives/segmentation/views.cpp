// SPDX-License-Identifier: Apache-2.0
#include "freeatm/objectives/segmentation/views.h"

#include <algorithm>
#include <array>
#include <cmath>

#include "freeatm/vision/label_transforms.h"
#include "freeatm/vision/transforms.h"

namespace freeatm::objectives {
namespace {

constexpr std::array<uint8_t, 3> kMeanColour = {124, 116, 104};  // 255 times ImageNet's mean: 0 when normalised
constexpr int kCropAttempts = 10;

int scaled_side(int side, double scale) { return std::max(1, static_cast<int>(std::lround(side * scale))); }

/// The mean colour beyond the picture's right and lower border.
vision::Image padded(const vision::Image& image, int size) {
  if (image.height == size && image.width == size) return image;
  vision::Image out(size, size);
  for (int y = 0; y < size; ++y) {
    const int copied = y < image.height ? image.width : 0;
    if (copied > 0) std::copy_n(image.row(y), 3 * size_t(copied), out.row(y));
    for (int x = copied; x < size; ++x) std::ranges::copy(kMeanColour, out.row(y) + 3 * size_t(x));
  }
  return out;
}

/// Whether a crop has two classes, none of which has more than `most` of its labels.
bool is_mixed(const vision::LabelMap& crop, double most) {
  std::array<int64_t, 256> counts{};
  for (const uint8_t label : crop.labels) ++counts[label];
  counts[vision::LabelMap::kIgnored] = 0;
  int64_t sum = 0, largest = 0;
  for (const int64_t count : counts) sum += count, largest = std::max(largest, count);
  return largest < sum && static_cast<double>(largest) < most * static_cast<double>(sum);
}

}  // namespace

void SegmentationViewOptions::fields(config::Fields& f) {
  f("crop_size", crop_size, "side of a training picture, pixels", config::between(16, 8192));
  f("short_side", short_side, "pixels that a picture's shorter side gets before all else; null: it stays as it is",
    config::between(16, 16384));
  f("long_side", long_side, "pixels that the longer side may have then; the shorter one gives way",
    config::between(16, 32768));
  f("min_scale", scale.low, "training pictures are resized further by a number between this",
    config::between(0.05, 20));
  f("max_scale", scale.high, "and this", config::between(0.05, 20));
  f("cat_max_ratio", cat_max_ratio, "the most that one class may have of a crop's labels, in ten attempts; 1: anything",
    config::between(0, 1));
  f("flip_probability", flip_probability, "of the mirror image", config::between(0, 1));
  f("photometric", photometric, "random brightness, contrast, saturation and hue");
  if (f.reading() && scale.high < scale.low) f.refuse("max_scale", "is less than min_scale");
}

PictureSide base_size(const SegmentationViewOptions& options, int height, int width) {
  if (!options.short_side) return {height, width};
  const double scale = std::min(static_cast<double>(*options.short_side) / std::min(height, width),
                                static_cast<double>(options.long_side) / std::max(height, width));
  return {scaled_side(height, scale), scaled_side(width, scale)};
}

CropPlace draw_crop(const vision::LabelMap& map, int size, double cat_max_ratio, RandomStream& random) {
  const auto first = [&](int side) { return static_cast<int>(random.integer(std::max(0, side - size) + 1)); };
  CropPlace place{};
  for (int attempt = 0; attempt < kCropAttempts; ++attempt) {
    place.top = first(map.height);
    place.left = first(map.width);
    if (cat_max_ratio >= 1) break;
    const int height = std::min(size, map.height), width = std::min(size, map.width);
    if (is_mixed(vision::cropped(map, place.top, place.left, height, width), cat_max_ratio)) break;
  }
  return place;
}

void photometric_distortion(vision::Image& image, RandomStream& random) {
  const bool contrast_first = random.bernoulli(0.5);
  const auto contrast = [&] {
    if (random.bernoulli(0.5)) vision::adjust_contrast(image, random.uniform(0.5, 1.5));
  };
  if (random.bernoulli(0.5)) vision::adjust_brightness(image, random.uniform(0.875, 1.125));
  if (contrast_first) contrast();
  if (random.bernoulli(0.5)) vision::adjust_saturation(image, random.uniform(0.5, 1.5));
  if (random.bernoulli(0.5)) vision::adjust_hue(image, random.uniform(-0.05, 0.05));
  if (!contrast_first) contrast();
}

SegmentationView draw_segmentation_view(const SegmentationViewOptions& options, const vision::Image& image,
                                        const vision::LabelMap& map, RandomStream& random) {
  RandomStream for_scale = random.fork("scale"), for_crop = random.fork("crop"), for_flip = random.fork("flip"),
               for_colours = random.fork("photometric");
  const PictureSide base = base_size(options, image.height, image.width);
  const double scale = for_scale.uniform(options.scale.low, options.scale.high);
  const int height = scaled_side(base.height, scale), width = scaled_side(base.width, scale);
  const int size = static_cast<int>(options.crop_size);
  vision::LabelMap labels = vision::resized(map, height, width);
  const CropPlace place = draw_crop(labels, size, options.cat_max_ratio, for_crop);
  const int rows = std::min(size, height), columns = std::min(size, width);
  labels = vision::cropped(labels, place.top, place.left, rows, columns);
  vision::Image pixels = vision::crop(vision::resize(image, height, width),
                                      {static_cast<double>(place.left), static_cast<double>(place.top),
                                       static_cast<double>(columns), static_cast<double>(rows)});
  if (for_flip.bernoulli(options.flip_probability)) {
    vision::horizontal_flip(pixels);
    vision::horizontal_flip(labels);
  }
  if (options.photometric) photometric_distortion(pixels, for_colours);
  return {padded(pixels, size), vision::cropped(labels, 0, 0, size, size)};
}

}  // namespace freeatm::objectives
