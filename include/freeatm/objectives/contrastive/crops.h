// SPDX-License-Identifier: Apache-2.0
// Pairs of crops for contrastive learning: at random, or so that both show the same thing.
#pragma once
#include <cstdint>
#include <optional>

#include "freeatm/config/fields.h"
#include "freeatm/core/random.h"
#include "freeatm/data/sample.h"
#include "freeatm/vision/box.h"

namespace freeatm::objectives {

struct CropOptions {
  double min_scale = 0.2;         // a random resized crop's area, as a fraction of the picture's
  double mask_probability = 0.5;  // crops: mask
  double min_margin = 1.1, max_margin = 1.6;
  double min_visible = 0.5, min_share = 0.1;
  int64_t tries = 20;
  bool at_random_place = false;    // the control `scale`: crops of the sizes that were drawn, anywhere
  void fields(config::Fields& f);  // all but at_random_place
};

enum class PairKind : uint8_t { kPlain, kMask, kFellBack };

struct CropPair {
  vision::Box a, b;
  PairKind kind = PairKind::kPlain;
};

/// Two random resized crops of the picture, independent of each other.
CropPair plain_pair(const vision::Image& image, const CropOptions& options, RandomStream& random);

/// With mask_probability a pair around one of the picture's things, drawn evenly:
///   a: the thing's box times U(min_margin, max_margin), moved as far as the margin lets the thing stay whole
///   b: a random resized crop with at least min_visible of the thing in it, and the thing at least min_share of it
/// else, or where no b is found in `tries` draws, a plain pair.
CropPair mask_pair(const data::Sample& sample, const CropOptions& options, RandomStream& random);

}  // namespace freeatm::objectives
