// SPDX-License-Identifier: Apache-2.0
#include "freeatm/objectives/contrastive/crops.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include "freeatm/core/format.h"
#include "freeatm/vision/augment.h"

namespace freeatm::objectives {
namespace {

using vision::Box;

Box random_crop(const vision::Image& image, const CropOptions& options, RandomStream& random) {
  return vision::random_resized_crop_box(image.height, image.width, {options.min_scale, 1.0}, vision::kCropRatio,
                                         random);
}

/// One side of the crop around a thing: whole pixels [begin, end) within [0, limit).
struct Interval {
  double begin, length;
};
Interval around(double begin, double length, double margin, double limit, RandomStream& random) {
  const double slack = length * (margin - 1) / 2;  // to either side: moved by no more, the crop still holds the thing
  const double first = begin - slack + random.uniform(-slack, slack), last = first + length * margin;
  const double low = std::max(0.0, std::floor(first)), high = std::min(limit, std::ceil(last));
  return {low, high - low};
}

Box thing_crop(const vision::Image& image, const Box& thing, const CropOptions& options, RandomStream& random) {
  const double margin = random.uniform(options.min_margin, options.max_margin);
  const Interval x = around(thing.x, thing.width, margin, image.width, random);
  const Interval y = around(thing.y, thing.height, margin, image.height, random);
  return {x.begin, y.begin, x.length, y.length};
}

/// A crop of the same size, anywhere.
Box anywhere(const vision::Image& image, const Box& box, RandomStream& random) {
  return {static_cast<double>(random.integer(image.width - static_cast<int64_t>(box.width) + 1)),
          static_cast<double>(random.integer(image.height - static_cast<int64_t>(box.height) + 1)), box.width,
          box.height};
}

}  // namespace

void CropOptions::fields(config::Fields& f) {
  f("min_scale", min_scale, "least area of a random crop, as a fraction of the picture's", config::between(0.01, 1));
  f("mask_probability", mask_probability, "mask crops: share of pairs around a thing", config::between(0, 1));
  f("min_margin", min_margin, "view a: the thing's box times at least this", config::at_least(1));
  f("max_margin", max_margin, "view a: the thing's box times at most this", config::at_least(1));
  f("min_visible", min_visible, "view b: least part of the thing that is in the crop", config::between(0, 1));
  f("min_share", min_share, "view b: least part of the crop that is the thing", config::between(0, 1));
  f("tries", tries, "draws of view b before the pair becomes a plain one", config::between(1, 1000));
  if (f.reading() && min_margin > max_margin)
    f.refuse("min_margin", format("{} is more than max_margin, {}", min_margin, max_margin));
}

CropPair plain_pair(const vision::Image& image, const CropOptions& options, RandomStream& random) {
  const Box a = random_crop(image, options, random);
  return {a, random_crop(image, options, random), PairKind::kPlain};
}

CropPair mask_pair(const data::Sample& sample, const CropOptions& options, RandomStream& random) {
  CropPair pair = plain_pair(sample.image, options, random);
  if (!random.bernoulli(options.mask_probability)) return pair;
  pair.kind = PairKind::kFellBack;
  const std::vector<int64_t> things = sample.things();
  if (things.empty()) return pair;
  const vision::Rle& thing = sample.regions[things[random.integer(std::ssize(things))]].mask;
  const double area = static_cast<double>(thing.area());
  for (int64_t i = 0; i < options.tries; ++i) {
    const Box b = random_crop(sample.image, options, random);
    const double inside = static_cast<double>(thing.area_inside(b));
    if (inside < options.min_visible * area || inside < options.min_share * b.area()) continue;
    pair = {thing_crop(sample.image, thing.box(), options, random), b, PairKind::kMask};
    if (!options.at_random_place) return pair;
    RandomStream places = random.fork("places");
    pair.a = anywhere(sample.image, pair.a, places);
    pair.b = anywhere(sample.image, pair.b, places);
    return pair;
  }
  return pair;
}

}  // namespace freeatm::objectives
