// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cstdint>
#include <optional>
#include <string>

#include "freeatm/core/json_scanner.h"
#include "freeatm/vision/rle.h"

namespace freeatm::evaluation {

/// The height and width that masks of a picture must have.
struct MaskSize {
  int64_t height = 0, width = 0;
};

/// COCO's three kinds: compressed run lengths, plain ones, polygons. Nothing where no polygon has three points; those
/// that have not are left out. Throws JsonFault, or UserError(name, "segmentation", ...).
std::optional<vision::Rle> read_segmentation(JsonScanner& json, MaskSize size, const std::string& name);

}  // namespace freeatm::evaluation
