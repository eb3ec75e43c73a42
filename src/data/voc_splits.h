// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <string>
#include <vector>

#include "freeatm/core/files.h"

namespace freeatm::data {

/// A list of pictures: FOLDER/ImageSets/Main/NAME.txt.
struct VocSplit {
  fs::path folder;  // of its year
  std::string name;
  fs::path file() const { return folder / "ImageSets" / "Main" / (name + ".txt"); }
};

/// Whether VOC's folders lie at `root`: it has ImageSets/Main/ and Annotations/, or folders VOC2007, VOC2012, ... (or
/// VOCdevkit/ with them) that have.
bool holds_voc(const fs::path& root, const std::string& split);

/// "trainval": that list of each year that has it; "07_trainval" or "2007_trainval": of that year;
/// "07_trainval+12_val": several. Nothing where one of them is nowhere.
std::vector<VocSplit> find_voc_splits(const fs::path& root, const std::string& split);

bool has_voc_split(const fs::path& root, const std::string& split);

}  // namespace freeatm::data
