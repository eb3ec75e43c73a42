// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <optional>
#include <string>
#include <vector>

#include "freeatm/core/files.h"
#include "freeatm/data/dataset.h"
#include "freeatm/vision/box.h"

namespace freeatm::data {

/// Of corners that count from 1 and name the last pixel: (1, 1, W, H) is a whole picture.
inline vision::Box voc_corners(double x1, double y1, double x2, double y2) {
  return {x1 - 1, y1 - 1, x2 - x1 + 1, y2 - y1 + 1};
}

/// What one file of Pascal VOC's Annotations/ says of its picture.
struct VocAnnotation {
  struct Named {
    std::string category;
    vision::Box box;  // as the file has it, if outside of the picture or negative
    bool is_difficult = false;
  };
  std::string file_name;            // of the picture, as the file has it; "": it says none
  std::optional<PictureSize> size;  // none where the file does not say it
  std::vector<Named> objects;       // their `part`s are none
};

/// Throws UserError(path, ...) for what is no such file.
///   key: what names the folder in the config, for messages
VocAnnotation read_voc_annotation(const fs::path& path, const std::string& key = "data.root");

}  // namespace freeatm::data
