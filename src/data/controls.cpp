// SPDX-License-Identifier: Apache-2.0
#include "freeatm/data/controls.h"

#include <algorithm>
#include <cmath>
#include <utility>
#include <vector>

#include "freeatm/core/error.h"
#include "freeatm/vision/paste.h"
#include "freeatm/vision/saliency.h"
#include "freeatm/vision/transforms.h"

#include "wrapper.h"

namespace freeatm::data {
namespace {

/// One that reads other samples of the dataset, too.
class Control : public Wrapper {
 public:
  using Wrapper::Wrapper;

 protected:
  Sample inner_sample(int64_t index, const RandomStream& random) const {
    RandomStream own = random.fork("inner");
    return inner().get(index, own);
  }
  /// Any sample but `index`.
  Sample other_sample(int64_t index, RandomStream& random) const {
    if (size() < 2) throw UserError("", "data.root", "has one picture: there is no other one to take from");
    const int64_t drawn = random.integer(size() - 1);
    RandomStream others = random.fork("other");
    return inner().get(drawn < index ? drawn : drawn + 1, others);
  }
};

/// All things of a sample as one mask; empty where it has none.
std::vector<uint8_t> things_of(const Sample& sample) {
  std::vector<vision::Rle> things;
  for (const int64_t i : sample.things()) things.push_back(sample.regions[i].mask);
  return things.empty() ? std::vector<uint8_t>() : vision::merge(things).decode();
}

/// By nearest pixels.
vision::Rle resized(const vision::Rle& mask, int height, int width) {
  if (mask.height == height && mask.width == width) return mask;
  return vision::resized_crop(mask, {0, 0, double(mask.width), double(mask.height)}, height, width);
}

class Shuffled final : public Control {
 public:
  Shuffled(std::unique_ptr<Dataset> inner, Phrases phrases) : Control(std::move(inner)), phrases_(phrases) {}

  Sample get(int64_t index, RandomStream& random) const override {
    Sample sample = inner_sample(index, random);
    std::vector<Region> others = other_sample(index, random).regions;
    for (Region& other : others) {
      other.mask = resized(other.mask, sample.image.height, sample.image.width);
      other.exact.reset();
      other.phrases.clear();  // of captions that are not ours
    }
    if (phrases_ == Phrases::kDropped) {
      sample.regions = std::move(others);
    } else {
      for (const bool things : {true, false}) exchange(sample, others, things);
    }
    return sample;
  }

 private:
  /// Regions of this kind get the others' masks of this kind in turns; none where there are none. Told by the role: one
  /// whose mask is gone is no longer a thing by `is_thing`, and must not get a place's instead.
  static void exchange(Sample& sample, const std::vector<Region>& others, bool things) {
    std::vector<const Region*> kind;
    for (const Region& other : others) {
      if (other.is_thing() == things) kind.push_back(&other);
    }
    size_t next = 0;
    for (Region& region : sample.regions) {
      if ((region.role == text::Role::kThing) != things) continue;
      region.mask =
          kind.empty() ? vision::Rle::zeros(sample.image.height, sample.image.width) : kind[next++ % kind.size()]->mask;
    }
  }

  Phrases phrases_;
};

class Permuted final : public Control {
 public:
  using Control::Control;
  Sample get(int64_t index, RandomStream& random) const override {
    Sample sample = inner_sample(index, random);
    const std::vector<int64_t> things = sample.things();
    const int64_t count = std::ssize(things);
    if (count < 2) return sample;
    const int64_t by = 1 + random.integer(count - 1);
    std::vector<vision::Rle> masks;
    for (int64_t i = 0; i < count; ++i) masks.push_back(sample.regions[things[(i + by) % count]].mask);
    for (int64_t i = 0; i < count; ++i) sample.regions[things[i]].mask = std::move(masks[i]);
    return sample;
  }
};

/// A box of this area, its shape drawn from 2 : 1 to 1 : 2, at a place drawn evenly.
std::vector<uint8_t> random_box(int height, int width, int64_t area, RandomStream& random) {
  const double ratio = std::exp(random.uniform(-std::log(2), std::log(2)));
  const auto side = [&](double length, int limit) {
    return std::clamp(static_cast<int64_t>(std::lround(length)), int64_t{1}, int64_t{limit});
  };
  int64_t columns = side(std::sqrt(static_cast<double>(area) * ratio), width);
  const int64_t rows = side(static_cast<double>(area) / static_cast<double>(columns), height);
  columns = side(static_cast<double>(area) / static_cast<double>(rows), width);  // where the height was cut
  const int64_t top = random.integer(height - rows + 1), left = random.integer(width - columns + 1);
  std::vector<uint8_t> mask(int64_t{height} * width);
  for (int64_t y = top; y < top + rows; ++y) std::fill_n(mask.begin() + y * width + left, columns, uint8_t{1});
  return mask;
}

class Boxes final : public Control {
 public:
  using Control::Control;
  Sample get(int64_t index, RandomStream& random) const override {
    Sample sample = inner_sample(index, random);
    const int height = sample.image.height, width = sample.image.width;
    for (const int64_t i : sample.things()) {
      vision::Rle& mask = sample.regions[i].mask;
      mask = vision::Rle::encode(random_box(height, width, mask.area(), random).data(), height, width);
    }
    return sample;
  }
};

class Saliency final : public Control {
 public:
  Saliency(std::unique_ptr<Dataset> inner, Phrases phrases) : Control(std::move(inner)), phrases_(phrases) {}

  Sample get(int64_t index, RandomStream& random) const override {
    Sample sample = inner_sample(index, random);
    std::vector<Region> regions, things;
    for (Region& region : sample.regions) (region.is_thing() ? things : regions).push_back(std::move(region));
    for (Region& region : regions) region.score.reset();
    const vision::MaskSet salient = vision::salient_regions(sample.image, std::ssize(things));
    for (int64_t i = 0; i < salient.count(); ++i) {
      Region named{.name = "", .mask = salient.rle(i)};
      if (phrases_ == Phrases::kKept) named.name = things[i].name, named.phrases = things[i].phrases;
      regions.push_back(std::move(named));
    }
    sample.regions = std::move(regions);
    return sample;
  }

 private:
  Phrases phrases_;
};

class Exact final : public Control {
 public:
  using Control::Control;
  Sample get(int64_t index, RandomStream& random) const override {
    Sample sample = inner_sample(index, random);
    const bool is_known = std::ranges::any_of(sample.regions, [](const Region& r) { return r.exact.has_value(); });
    const bool was_found = std::ranges::any_of(sample.regions, [](const Region& r) { return r.score.has_value(); });
    if (!is_known && was_found) {  // nothing to put in their place
      throw UserError(sample.key, "objective.control",
                      "exact: the picture has no exact masks; harvest source=images keeps those of its pictures");
    }
    if (!is_known) return sample;
    for (Region& region : sample.regions) {
      region.mask = region.exact.value_or(vision::Rle::zeros(sample.image.height, sample.image.width));
      region.exact.reset();
    }
    return sample;
  }
};

class SwappedBackgrounds final : public Control {
 public:
  using Control::Control;
  Sample get(int64_t index, RandomStream& random) const override {
    Sample sample = inner_sample(index, random);
    const std::vector<uint8_t> things = things_of(sample);
    if (things.empty()) return sample;
    Sample other = other_sample(index, random);
    if (const std::vector<uint8_t> others = things_of(other); !others.empty())
      vision::fill_from_nearest(other.image, others);
    if (other.image.height != sample.image.height || other.image.width != sample.image.width)
      other.image = vision::resize(other.image, sample.image.height, sample.image.width);
    sample.swapped = vision::paste(sample.image, things, std::move(other.image));
    return sample;
  }
};

}  // namespace

std::unique_ptr<Dataset> with_control(std::unique_ptr<Dataset> dataset, const std::string& control, Phrases phrases) {
  if (control == "shuffled") return std::make_unique<Shuffled>(std::move(dataset), phrases);
  if (control == "permuted") return std::make_unique<Permuted>(std::move(dataset));
  if (control == "boxes") return std::make_unique<Boxes>(std::move(dataset));
  if (control == "saliency") return std::make_unique<Saliency>(std::move(dataset), phrases);
  if (control != "exact") return dataset;
  auto exact = std::make_unique<Exact>(std::move(dataset));
  RandomStream unused(0, "control");
  if (exact->size() > 0) (void)exact->get(0, unused);  // refuses now rather than in the first step
  return exact;
}

std::unique_ptr<Dataset> with_swapped_backgrounds(std::unique_ptr<Dataset> dataset) {
  return std::make_unique<SwappedBackgrounds>(std::move(dataset));
}

}  // namespace freeatm::data
