// SPDX-License-Identifier: Apache-2.0
#include "freeatm/data/sample.h"

#include "freeatm/core/error.h"

namespace freeatm::data {

bool Region::is_thing() const { return role == text::Role::kThing && mask.area() > 0; }

const std::string& Sample::caption() const {
  static const std::string none;
  return captions.empty() ? none : captions.front().text;
}

const std::vector<text::Phrase>& Sample::phrases() const {
  static const std::vector<text::Phrase> none;
  return captions.empty() ? none : captions.front().phrases;
}

int64_t Sample::label() const {
  FREEATM_CHECK(labels.size() == 1, "{} has {} labels", key, labels.size());
  return labels.front();
}

std::vector<int64_t> Sample::things() const {
  std::vector<int64_t> places;
  for (int64_t i = 0; i < std::ssize(regions); ++i) {
    if (regions[i].is_thing()) places.push_back(i);
  }
  return places;
}

vision::MaskSet Sample::masks() const {
  vision::MaskSet masks(image.height, image.width);
  for (const Region& region : regions) masks.add(region.mask);
  return masks;
}

}  // namespace freeatm::data
