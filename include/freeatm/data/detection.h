// SPDX-License-Identifier: Apache-2.0
// What a detector trains on.
#pragma once
#include <memory>
#include <string>
#include <vector>

#include "freeatm/data/dataset.h"

namespace freeatm::data {

/// Why an object of a dataset, which evaluation wants as it is, trains nothing.
enum class Untrained { kNo, kCrowd, kDifficult, kWithoutArea, kOutside };

/// By its box and its flags; the first reason that holds.
Untrained why_untrained(const Object& object, const PictureSize& picture);

/// The objects that train: neither crowds nor difficult, with a box that has area inside the picture, to which it is
/// cut; the sample still has its picture. How many a dataset has of the others is said when it is opened.
std::vector<Object> training_objects(const Sample& sample);

/// A dataset of named masks (a harvest's shards) as one of objects: each region that is a thing and whose name ends in
/// a class's name ("a red fire truck" in "fire truck"; in any case, of either number; the longest such name) is an
/// object with its mask, the mask's box and area; labels are the objects' categories. How many things have other names
/// is said when each sample was read once, or when it is closed.
///   class_names: none: the last words of the things' names, in small letters, sorted; all samples are read for that
std::unique_ptr<Dataset> with_phrase_objects(std::unique_ptr<Dataset> dataset,
                                             const std::vector<std::string>& class_names);

}  // namespace freeatm::data
