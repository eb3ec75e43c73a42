// SPDX-License-Identifier: Apache-2.0
// One scene: what stands where (Layout), its picture with exact masks, and its caption.
#pragma once
#include <array>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "freeatm/core/random.h"
#include "freeatm/text/phrase.h"
#include "freeatm/vision/image.h"
#include "freeatm/vision/mask_set.h"

#include "domain.h"
#include "sprites.h"

namespace freeatm::world {

/// How large pictures are, and things in them.
struct Canvas {
  int side = 64;     // of a scene, pixels
  double scale = 1;  // of the objects' sizes, which are shares of the side
  bool is_crowded = false;
};

/// One object; later ones stand in front.
struct Placement {
  int class_index = 0;
  int drawing = 0;  // 0: the class's own, else another one of the same thing
  Style style = Style::kOwn;
  double size = 0;      // side of the sprite's square, pixels
  double x = 0, y = 0;  // its centre, pixels
  double angle = 0;     // degrees, counter-clockwise
  bool mirrored = false;
  double brightness = 1, saturation = 1, hue = 0;  // factors; degrees on the colour circle
  std::array<double, 8> corners = {};  // x, y by which each corner is drawn away, of `size`; 0: no perspective
};

/// A caption calls an object small up to so much of the scene's side times the scale, big from so much on.
inline constexpr double kSmallUpTo = 0.42, kBigFrom = 0.54, kCrowdedSmallUpTo = 0.17, kCrowdedBigFrom = 0.25;
std::pair<double, double> named_sizes(const Canvas& canvas);

struct Layout {
  Canvas canvas;
  double tint = Domain::kSeen.tint;  // of the place's texture
  int place = 0;                     // index into places()
  int through = 0;                   // the place whose texture shows through,
  double opacity = 1;                // where the place's own covers no more than this
  std::vector<Placement> objects;
};

/// A place and one to three objects, crowded three to six, now and then several of one class, that hide at most 5% of
/// each other; with `only_class`, one object of it.
Layout draw_layout(const Sprites& sprites, const Domain& domain, std::optional<int> only_class, const Canvas& canvas,
                   RandomStream& random);

struct Picture {
  vision::Image image;    // [side, side]
  vision::MaskSet masks;  // one for each object: the pixels that show more of it than of what is behind it
};

/// The texture comes from the stream alone: layouts of the same place get the same background from equal streams.
Picture render(const Layout& layout, const Sprites& sprites, RandomStream& random);

struct Caption {
  std::string text;                       // "a photo of two dogs and a small apple on the grass"
  std::vector<text::Phrase> phrases;      // one for each class in order, then the place where it is named
  std::vector<std::vector<int>> objects;  // [phrases]: which of the layout's objects each phrase names; none of a place
};

/// Several objects of a class are counted; two fifths of the small and of the big ones are called so; a third of the
/// captions of two classes, one object each, say how the first stands to the second. All of it is true of the layout.
Caption describe(const Layout& layout, RandomStream& random);
/// The same of two of its classes, drawn evenly.
Caption describe_part(const Layout& layout, RandomStream& random);

struct Scene {
  Layout layout;
  Picture picture;
  Caption caption;
  std::vector<Caption> more_captions;  // of a crowded one, each about a part of it
};

Scene draw_scene(const Sprites& sprites, const Domain& domain, std::optional<int> only_class,
                 const RandomStream& random, const Canvas& canvas = {});

}  // namespace freeatm::world
