// SPDX-License-Identifier: Apache-2.0
// What a dataset gives; what an objective makes of it is in batch.h.
#pragma once
#include <cstdint>
#include <string>
#include <vector>

#include "freeatm/text/phrase.h"
#include "freeatm/vision/image.h"
#include "freeatm/vision/mask_set.h"

namespace freeatm::data {

/// One picture with all that is known of it. `masks[i]` belongs to `phrases[i]`; a phrase without a mask has an empty
/// one.
struct Sample {
  std::string key;  // "000000042"
  vision::Image image;
  std::string caption;  // "" where there is none
  std::vector<text::Phrase> phrases;
  vision::MaskSet masks;        // [phrases, height, width]
  vision::MaskSet exact;        // likewise: what the picture's own dataset knew, where masks were made; else none
  vision::Image swapped;        // the picture's things on another one's background (controls.h); empty: none
  int64_t label = -1;           // index into the dataset's class_names(), or -1
  std::vector<int64_t> labels;  // where a picture may have several: each once, rising
  std::vector<double> scores;   // [phrases], how sure each mask is; empty where nobody said
};

}  // namespace freeatm::data
