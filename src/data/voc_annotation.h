// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <optional>
#include <string>
#include <vector>

#include "freeatm/core/files.h"
#include "freeatm/data/dataset.h"

#include "object_counts.h"

namespace freeatm::data {

/// What one file of Annotations/ says of its picture.
struct VocAnnotation {
  struct Named {
    std::string category;
    vision::Box box;  // from the file's x1, y1, x2, y2, which count from 1 and name the last pixel; inside the picture
    bool is_difficult = false;
  };
  std::string file_name;            // of the picture, as the file has it; "": it says none
  std::optional<PictureSize> size;  // none where the file does not say it
  std::vector<Named> objects;       // their `part`s are none
};

/// Throws UserError(path, ...) for what is no such file; counts what is cut or trains nothing.
VocAnnotation read_voc_annotation(const fs::path& path, ObjectCounts& counts);

}  // namespace freeatm::data
