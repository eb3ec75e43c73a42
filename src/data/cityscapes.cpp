// SPDX-License-Identifier: Apache-2.0
#include "label_png_dataset.h"
#include "segmentation_layouts.h"

namespace freeatm::data {

bool holds_cityscapes(const fs::path& root, const std::string& /*split*/) {
  return fs::is_directory(root / "leftImg8bit") && fs::is_directory(root / "gtFine");
}

bool has_cityscapes_split(const fs::path& root, const std::string& split) {
  return fs::is_directory(root / "leftImg8bit" / split) && fs::is_directory(root / "gtFine" / split);
}

std::unique_ptr<Dataset> open_cityscapes(const fs::path& root, const std::string& split) {
  return open_label_pngs(
      pair_labels(root / "leftImg8bit" / split, "_leftImg8bit.png", root / "gtFine" / split, "_gtFine_labelIds.png"),
      cityscapes_numbers());
}

}  // namespace freeatm::data
