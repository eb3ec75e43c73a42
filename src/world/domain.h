// SPDX-License-Identifier: Apache-2.0
// What the scenes of a split are drawn from.
#pragma once

namespace freeatm::world {

/// How objects look. Sizes are of the scene's side; the largest by the number of objects, 1 to 3.
struct Ranges {
  double smallest, largest[3];
  double crowded_smallest, crowded_largest;
  double angle;                                    // degrees to either side
  double darkest, brightest, palest, most_colour;  // factors
  double hue;                                      // degrees to either side
  double corner;                                   // of the object's size, to either side
};
inline constexpr Ranges kUsualLook = {0.38, {0.70, 0.56, 0.44}, 0.12, 0.30, 15, 0.9, 1.08, 1, 1, 0, 0},
                        kChangedLook = {0.34, {0.775, 0.58, 0.46}, 0.11, 0.33, 25, 0.775, 1.165, 0.7, 1.25, 10, 0.06},
                        kShiftedLook = {0.30, {0.85, 0.60, 0.48}, 0.10, 0.36, 35, 0.65, 1.25, 0.4, 1.5, 20, 0.12};

/// Where objects stand.
///   kSeen: on the textures of train, each class away from two of them
///   kOther: half of the scenes on textures that train lacks, the others are the pairs of class and place that it lacks
///   kMoved: the scenes of kSeen, each moved to such a place
enum class Places { kSeen, kOther, kMoved };

/// kSeen: train, val and test. kShifted: the hard test, all changes together. The ladder has one change each, and is
/// else as test.
struct Domain {
  Ranges look = kUsualLook;
  bool changes_colour = false;  // and the perspective
  Places places = Places::kSeen;
  double unseen_places = 0;  // share of the scenes, the others are pairs of class and place that train lacks
  double opacity = 1;        // of the texture of a place that a scene is moved to, over its own
  double tint = 0.05;        // the most by which each colour of a texture is off
  double other_glyphs = 0;   // share of the objects, where the font has another drawing of the same thing
  double outlines = 0;       // share of the other objects that are drawn as lines; of the rest, in flat colour
  bool redraws = false;      // whether they are
  bool is_ladder = false;    // each scene is that of test, but for what the domain changes

  static const Domain kSeen, kShifted, kBackground, kLook, kDrawing;
};
inline constexpr Domain Domain::kSeen = {};
inline constexpr Domain Domain::kShifted = {.look = kShiftedLook,
                                            .changes_colour = true,
                                            .places = Places::kOther,
                                            .unseen_places = 0.5,
                                            .tint = 0.15,
                                            .other_glyphs = 0.5};
// Strengths at which a classifier that was trained on objects/train still knows most objects, and a linear one on
// random features few of them: docs/world.md has the numbers, of validation seeds.
inline constexpr Domain Domain::kBackground = {
    .places = Places::kMoved, .unseen_places = 0.5, .opacity = 0.2, .is_ladder = true};
inline constexpr Domain Domain::kLook = {.look = kChangedLook, .changes_colour = true, .is_ladder = true};
inline constexpr Domain Domain::kDrawing = {.other_glyphs = 0.5, .outlines = 0.4, .redraws = true, .is_ladder = true};

}  // namespace freeatm::world
