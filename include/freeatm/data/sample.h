// SPDX-License-Identifier: Apache-2.0
// What a dataset gives; what an objective makes of it is in batch.h.
#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "freeatm/text/caption.h"
#include "freeatm/vision/box.h"
#include "freeatm/vision/image.h"
#include "freeatm/vision/label_map.h"
#include "freeatm/vision/mask_set.h"
#include "freeatm/vision/rle.h"

namespace freeatm::data {

/// captions[caption].phrases[phrase]
struct PhraseIndex {
  int64_t caption = 0, phrase = 0;
  bool operator==(const PhraseIndex&) const = default;
};

/// A part of the picture that has a name.
struct Region {
  std::string name;  // as its phrase reads, or the category of its object; "": nobody named it
  text::Role role = text::Role::kThing;
  std::vector<PhraseIndex> phrases;  // that speak of it; none: no caption does
  vision::Rle mask;                  // of the picture's size; without a pixel where nobody knows
  std::optional<vision::Rle> exact;  // what the picture's dataset knew, where `mask` was found
  std::optional<double> score;       // how sure a mask is that was found; none: it was given

  /// What crops, guided masking and foreground mean by a thing.
  bool is_thing() const;
};

/// An instance of a category, as detection and segmentation want it.
struct Object {
  int64_t id = 0;        // of its annotation
  int64_t category = 0;  // index into the dataset's class_names()
  vision::Box box;
  std::optional<vision::Rle> mask;            // of the picture's size; none: its file has none
  std::vector<std::vector<double>> polygons;  // x0, y0, x1, y1, ..., pixels, what `mask` was drawn from, if it was
  double area = 0;                            // pixels, as its file says: COCO's small, medium and large
  bool is_crowd = false;
  bool is_difficult = false;
};

/// One picture with all that is known of it.
struct Sample {
  std::string key;  // "000000042"
  int64_t id = 0;   // of the picture in its dataset's own numbers, COCO's image id; else its index
  vision::Image image;
  std::vector<text::Caption> captions;  // COCO has five of a picture
  std::vector<Region> regions;
  std::vector<Object> objects;
  std::vector<int64_t> labels;  // indices into class_names(), each once, rising; a dataset of one label: exactly one
  vision::LabelMap label_map;   // each pixel's class_names() index; empty: the dataset has none
  vision::Image swapped;        // the picture's things on another one's background (controls.h); empty: none

  /// The first caption's text, "" where there is none.
  const std::string& caption() const;
  /// The first caption's; none where there is no caption.
  const std::vector<text::Phrase>& phrases() const;
  /// Throws InternalError where there is not exactly one.
  int64_t label() const;
  /// Which regions are things.
  std::vector<int64_t> things() const;
  /// Of all regions, [regions, height, width].
  vision::MaskSet masks() const;
};

}  // namespace freeatm::data
