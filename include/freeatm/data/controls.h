// SPDX-License-Identifier: Apache-2.0
// Datasets around a dataset: masks that a method should not be able to profit from, exact ones, and other backgrounds.
#pragma once
#include <memory>
#include <string>
#include <vector>

#include "freeatm/data/dataset.h"

namespace freeatm::data {

/// What becomes of the names of regions whose masks are another picture's, or were found without any.
///   kDropped: a mask brings its own name, or none; no phrase speaks of it
///   kKept: each region gets another mask, and its phrases go on to speak of it
enum class Phrases { kDropped, kKept };

/// The dataset with other masks, and nothing else changed:
///   shuffled: those of another picture, drawn evenly, with its names, of which no caption of this one speaks; phrases
///     kept: each thing gets a thing's, in turns, and so does stuff
///   permuted: those of the picture's own other things, each moved on by as many, drawn evenly; one thing alone keeps
///     its own
///   boxes: instead of each thing's mask a box of the same area, of a shape up to 1 : 2, anywhere
///   saliency: vision::salient_regions instead of the things, at most as many; stuff stays; phrases kept: the first
///     things have them, and the others none
///   exact: what the picture's dataset knew (Region::exact); masks that were not found (no score) are exact already
/// Throws UserError, now or when a sample is read, where `exact` is asked for and not there.
std::unique_ptr<Dataset> with_control(std::unique_ptr<Dataset> dataset, const std::string& control,
                                      Phrases phrases = Phrases::kDropped);

/// Each sample with things also shows them on another picture's background (Sample::swapped): the other picture, drawn
/// evenly and resized, with its own things filled in from the nearest pixels around them.
std::unique_ptr<Dataset> with_swapped_backgrounds(std::unique_ptr<Dataset> dataset);

}  // namespace freeatm::data
