// SPDX-License-Identifier: Apache-2.0
// The sets that have a PNG of classes for each picture.
#pragma once
#include <memory>
#include <string>

#include "freeatm/core/files.h"
#include "freeatm/data/dataset.h"

namespace freeatm::data {

/// Pascal VOC: lists of ImageSets/Segmentation/, as find_voc_splits finds them, of names or of two paths a line
/// (DeepLab's); SegmentationClass/NAME.png, else SegmentationClassAug/NAME.png. 21 classes, the background first.
std::unique_ptr<Dataset> open_voc_segmentation(const fs::path& root, const std::string& split);

/// ADEChallengeData2016: {images,annotations}/{training,validation}/, also called "train" and "val". 150 classes,
/// numbers 1 to 150; the first of each one's names in objectInfo150.txt, or its number where there is no such file.
bool holds_ade20k(const fs::path& root, const std::string& split);
bool has_ade20k_split(const fs::path& root, const std::string& split);
std::unique_ptr<Dataset> open_ade20k(const fs::path& root, const std::string& split);

/// Cityscapes: leftImg8bit/SPLIT/CITY/*_leftImg8bit.png, gtFine/SPLIT/CITY/*_gtFine_labelIds.png. The 19 classes that
/// are judged; other label ids are ignored.
bool holds_cityscapes(const fs::path& root, const std::string& split);
bool has_cityscapes_split(const fs::path& root, const std::string& split);
std::unique_ptr<Dataset> open_cityscapes(const fs::path& root, const std::string& split);

/// COCO-Stuff and sets like it: images/SPLIT/NAME.jpg with annotations/SPLIT/NAME.png (or labels/, masks/). Classes
/// are those of labels.txt or classes.txt: a name a line, whose number is the line's, from 0, or "number: name".
/// COCO-Stuff's own labels.txt, which begins with "0: unlabeled", numbers them one higher than the PNGs do.
bool names_label_png_classes(const fs::path& root);
bool holds_label_pngs(const fs::path& root, const std::string& split);
std::unique_ptr<Dataset> open_label_png_folders(const fs::path& root, const std::string& split);

}  // namespace freeatm::data
