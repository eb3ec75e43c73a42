// SPDX-License-Identifier: Apache-2.0
#include "freeatm/data/controls.h"

#include <algorithm>
#include <cmath>
#include <utility>

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

std::vector<uint8_t> copy_of(const vision::MaskSet& masks, int64_t i) {
  return {masks[i], masks[i] + int64_t{masks.height()} * masks.width()};
}

bool is_thing(const Sample& sample, int64_t i) {
  return sample.phrases[i].role == text::Role::kThing && sample.masks.area(i) > 0;
}

/// All things of a sample as one mask; empty where it has none.
std::vector<uint8_t> things_of(const Sample& sample) {
  std::vector<uint8_t> all;
  for (int64_t i = 0; i < sample.masks.count(); ++i) {
    if (!is_thing(sample, i)) continue;
    all.resize(sample.image.pixels.size() / 3);
    std::transform(all.begin(), all.end(), sample.masks[i], all.begin(), std::bit_or<uint8_t>());
  }
  return all;
}

class Shuffled final : public Control {
 public:
  using Control::Control;
  Sample get(int64_t index, RandomStream& random) const override {
    Sample sample = inner_sample(index, random);
    Sample other = other_sample(index, random);
    const vision::Box whole{0, 0, double(other.image.width), double(other.image.height)};
    sample.masks = other.masks.resized_crop(whole, sample.image.height, sample.image.width);
    sample.phrases = std::move(other.phrases);
    for (text::Phrase& phrase : sample.phrases)
      phrase.span = {}, phrase.tokens.clear();  // of a caption that is not ours
    sample.scores = std::move(other.scores);
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
    vision::MaskSet masks(sample.masks.height(), sample.masks.width());
    for (int64_t i = 0; i < sample.masks.count(); ++i) {
      masks.add(is_thing(sample, i) ? random_box(masks.height(), masks.width(), sample.masks.area(i), random)
                                    : copy_of(sample.masks, i));
    }
    sample.masks = std::move(masks);
    return sample;
  }
};

class Saliency final : public Control {
 public:
  using Control::Control;
  Sample get(int64_t index, RandomStream& random) const override {
    Sample sample = inner_sample(index, random);
    std::vector<text::Phrase> phrases;
    vision::MaskSet masks(sample.image.height, sample.image.width);
    int64_t things = 0;
    for (int64_t i = 0; i < sample.masks.count(); ++i) {
      if (is_thing(sample, i)) {
        ++things;
      } else {
        phrases.push_back(sample.phrases[i]);
        masks.add(copy_of(sample.masks, i));
      }
    }
    const vision::MaskSet salient = vision::salient_regions(sample.image, things);
    for (int64_t i = 0; i < salient.count(); ++i) {
      phrases.push_back({.text = "", .role = text::Role::kThing, .span = {}, .tokens = {}});
      masks.add(copy_of(salient, i));
    }
    sample.phrases = std::move(phrases);
    sample.masks = std::move(masks);
    sample.scores.clear();
    return sample;
  }
};

class Exact final : public Control {
 public:
  using Control::Control;
  Sample get(int64_t index, RandomStream& random) const override {
    Sample sample = inner_sample(index, random);
    if (sample.exact.count() > 0) {
      sample.masks = std::move(sample.exact);
      sample.exact = {};
    } else if (!sample.scores.empty()) {  // masks that were found, and nothing to put in their place
      throw UserError(sample.key, "objective.control",
                      "exact: the picture has no exact masks; harvest source=images keeps those of its pictures");
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

std::unique_ptr<Dataset> with_control(std::unique_ptr<Dataset> dataset, const std::string& control) {
  if (control == "shuffled") return std::make_unique<Shuffled>(std::move(dataset));
  if (control == "boxes") return std::make_unique<Boxes>(std::move(dataset));
  if (control == "saliency") return std::make_unique<Saliency>(std::move(dataset));
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
