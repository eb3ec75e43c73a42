// SPDX-License-Identifier: Apache-2.0
// One scene: what stands where (Layout), its picture with exact masks, and its caption.
#pragma once
#include <optional>
#include <string>
#include <vector>

#include "freeatm/core/random.h"
#include "freeatm/text/phrase.h"
#include "freeatm/vision/image.h"
#include "freeatm/vision/mask_set.h"

#include "world/sprites.h"

namespace freeatm::data::world {

/// One object; later ones stand in front.
struct Placement {
  int class_index = 0;
  double size = 0;      // side of the sprite's square, pixels
  double x = 0, y = 0;  // its centre, pixels
  double angle = 0;     // degrees, counter-clockwise
  bool mirrored = false;
  double brightness = 1;
};

struct Layout {
  int place = 0;  // index into places()
  std::vector<Placement> objects;
};

/// A place and one to three objects of different classes that hide at most 5% of each other; with `only_class`, one
/// object of it.
Layout draw_layout(const Sprites& sprites, std::optional<int> only_class, RandomStream& random);

struct Picture {
  vision::Image image;    // [kSide, kSide]
  vision::MaskSet masks;  // one for each object: the pixels that show more of it than of what is behind it
};

/// The texture comes from the stream alone: layouts of the same place get the same background from equal streams.
Picture render(const Layout& layout, const Sprites& sprites, RandomStream& random);

struct Caption {
  std::string text;                   // "a photo of a dog and an apple on the grass"
  std::vector<text::Phrase> phrases;  // one for each object in order, then the place where it is named
};

/// A third of the captions of two objects say how the first stands to the second.
Caption describe(const Layout& layout, RandomStream& random);

struct Scene {
  Layout layout;
  Picture picture;
  Caption caption;
};

Scene draw_scene(const Sprites& sprites, std::optional<int> only_class, const RandomStream& random);

}  // namespace freeatm::data::world
