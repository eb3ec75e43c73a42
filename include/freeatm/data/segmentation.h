// SPDX-License-Identifier: Apache-2.0
// Datasets whose samples have a class for each pixel (Sample::label_map).
#pragma once
#include <memory>

#include "freeatm/data/dataset.h"

namespace freeatm::data {

/// A dataset of objects with masks (COCO's instances; a harvest's after with_phrase_objects) as one of label maps:
/// class 0 is "background", then come the dataset's classes; one that is called so already is the background. A pixel
/// of objects of two classes is ignored, crowds count as their class. Pixels in the box of an object without a mask
/// that no mask has are ignored, too; how many such objects there are is said when each sample was read once, or when
/// the dataset is closed. class_ids() are the dataset's own where they leave 0 to the background and fit a PNG, else 0,
/// 1, 2, .... Throws UserError where there are more classes than a PNG has numbers.
std::unique_ptr<Dataset> with_label_maps(std::unique_ptr<Dataset> dataset);

}  // namespace freeatm::data
