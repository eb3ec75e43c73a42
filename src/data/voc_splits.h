// SPDX-License-Identifier: Apache-2.0
// Where Pascal VOC's lists of pictures lie, and its classes.
#pragma once
#include <array>
#include <string>
#include <vector>

#include "freeatm/core/files.h"

namespace freeatm::data {

inline constexpr std::array kVocClasses = {
    "aeroplane",   "bicycle", "bird",  "boat",      "bottle", "bus",         "car",   "cat",  "chair", "cow",
    "diningtable", "dog",     "horse", "motorbike", "person", "pottedplant", "sheep", "sofa", "train", "tvmonitor"};

/// A task's folder of lists: ImageSets/Main/, or ImageSets/Segmentation/.
enum class VocTask { kDetection, kSegmentation };

/// A list of pictures: FOLDER/ImageSets/Main/NAME.txt.
struct VocSplit {
  fs::path folder;  // of its year
  VocTask task;
  std::string name;
  fs::path file() const;
};

/// "trainval": that list of each year that has it; "07_trainval" or "2007_trainval": of that year;
/// "07_trainval+12_val": several. `root` is a year's folder (with ImageSets/Main/ and Annotations/, or
/// ImageSets/Segmentation/ and JPEGImages/), VOCdevkit/ with VOC2007/, VOC2012/, ..., or what holds VOCdevkit/. Throws
/// UserError(root, ...) where one of the lists is nowhere.
std::vector<VocSplit> find_voc_splits(const fs::path& root, const std::string& split, VocTask task);

/// Whether VOC's folders lie at `root`, and whether all lists of the split do.
bool holds_voc(const fs::path& root, VocTask task);
bool has_voc_split(const fs::path& root, const std::string& split, VocTask task);

/// FOLDER/JPEGImages/NAME.jpg, as VOC's own are; sets of its form have other endings.
fs::path voc_picture(const fs::path& folder, const std::string& name, const std::string& other_ending);

}  // namespace freeatm::data
