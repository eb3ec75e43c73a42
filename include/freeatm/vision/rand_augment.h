// SPDX-License-Identifier: Apache-2.0
// RandAugment (Cubuk et al. 2020) as timm has it for `rand-m9-mstd0.5-inc1`: fifteen operations of PIL whose severity
// rises with a level from 0 to 10.
#pragma once
#include <cstdint>
#include <vector>

#include "freeatm/config/fields.h"
#include "freeatm/core/random.h"
#include "freeatm/vision/image.h"

namespace freeatm::vision {

struct RandAugmentOptions {
  int64_t operations = 0;  // drawn for each picture, with replacement, half of them then left out; timm's n
  double magnitude = 9, deviation = 0.5;  // of the level
  void fields(config::Fields& f);
};

enum class RandOperation {
  kAutoContrast,
  kEqualize,
  kInvert,
  kRotate,
  kPosterize,
  kSolarize,
  kSolarizeAdd,
  kColor,
  kContrast,
  kBrightness,
  kSharpness,
  kShearX,
  kShearY,
  kTranslateX,
  kTranslateY,
};
inline constexpr int kRandOperations = 15;

struct RandStep {
  RandOperation operation;
  double level;     // in [0, 10]
  bool is_negated;  // turned, shifted, or changed the other way
};

std::vector<RandStep> draw_rand_augment(const RandAugmentOptions& options, RandomStream& random);

/// One operation, equal to timm's on PIL 13's pictures bit for bit. What moves pixels is bicubic, with ImageNet's mean
/// colour where nothing moves to.
void apply(const RandStep& step, Image& image);

/// What is drawn, one after the other.
void rand_augment(Image& image, const RandAugmentOptions& options, RandomStream& random);

}  // namespace freeatm::vision
