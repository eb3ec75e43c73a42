// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <string>
#include <vector>

#include "freeatm/core/files.h"
#include "freeatm/vision/box.h"

namespace freeatm::evaluation {

struct VocNamedObject {
  std::string name;
  vision::Box box;  // from x1 - 1 to x2 of the file's one-based, inclusive corners
  bool is_difficult = false;
};

/// The objects of one file of Annotations/, without their parts. Throws UserError(file, ...).
std::vector<VocNamedObject> read_voc_objects(const fs::path& file);

/// One-based, inclusive corners.
vision::Box voc_corners(double x1, double y1, double x2, double y2);

}  // namespace freeatm::evaluation
