// SPDX-License-Identifier: Apache-2.0
// The emoji world: scenes of one to three colour emoji (crowded: to six) on drawn textures, with captions and exact
// masks. Real data for the small models.
#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "freeatm/config/fields.h"
#include "freeatm/text/phrase.h"

namespace freeatm::world {

/// The 40 classes, in the order of their COCO category ids (which begin at 1).
std::vector<std::string> class_names();

/// What the world's captions name: its classes are things, its places ("grass", "brick wall") stuff.
text::Lexicon lexicon();

struct WorldOptions {
  std::string out = "data/emoji";
  int64_t count = 2000;       // scenes of train, and its object pictures
  int64_t eval_count = 4000;  // the same of each other split
  int64_t seed = 0;
  std::string layout = "plain";
  std::optional<int64_t> side;  // of a picture, pixels; none: 64, of a crowded one 128
  double scale = 1;             // of the objects in them
  std::string font = "/usr/share/fonts/truetype/noto/NotoColorEmoji.ttf";
  int64_t threads = 0;  // 0: one for each core; the files are the same for any number
  void fields(config::Fields& f);

  int64_t picture_side() const { return side.value_or(layout == "crowded" ? 128 : 64); }
};

/// Draws the world and writes it as `out`, whole or not at all: scenes/<split>/KEY.png,
/// scenes/annotations/{captions,instances}_<split>.json (COCO's), objects/<split>/<class>/KEY.png, manifest.json and
/// contact.png. A world of the same manifest is left as it is (returns false); anything else that lies at `out` is a
/// UserError.
bool write_world(const WorldOptions& options);

}  // namespace freeatm::world
