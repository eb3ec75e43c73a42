// SPDX-License-Identifier: Apache-2.0
// Datasets whose samples have a class for each pixel (Sample::label_map).
#pragma once
#include <memory>

#include "freeatm/data/dataset.h"

namespace freeatm::data {

/// The dataset at `root`, with label maps: "auto" looks first for the layouts that have a PNG of classes for each
/// picture. COCO's objects become label maps (with_label_maps). Where samples have no classes, a harvest's shards, they
/// are given as they are. Throws UserError where nothing fits, or a dataset has classes but no masks of them.
///   class_ids(): the numbers that the dataset's own PNGs have, which those that are handed in have, too
///   Sample::labels: the classes that the map shows
std::unique_ptr<Dataset> open_segmentation_dataset(const DatasetOptions& options);
/// Whether what lies at `root` has that split with label maps, cheaply; has_split for segmentation.
bool has_segmentation_split(const DatasetOptions& options);

/// A dataset of objects with masks (COCO's instances; a harvest's after with_phrase_objects) as one of label maps:
/// class 0 is "background", then come the dataset's classes; one that is called so already is the background. A pixel
/// of objects of two classes is ignored, crowds count as their class. Pixels in the box of an object without a mask
/// that no mask has are ignored, too; how many such objects there are is said when each sample was read once, or when
/// the dataset is closed. class_ids() are the dataset's own where they leave 0 to the background and fit a PNG, else 0,
/// 1, 2, .... Throws UserError where there are more classes than a PNG has numbers.
std::unique_ptr<Dataset> with_label_maps(std::unique_ptr<Dataset> dataset);

}  // namespace freeatm::data
