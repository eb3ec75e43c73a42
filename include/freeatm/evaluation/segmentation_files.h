// SPDX-License-Identifier: Apache-2.0
// PNGs of classes that any program wrote, scored beside their truth.
#pragma once
#include <cstdint>
#include <optional>
#include <string>

#include "freeatm/config/fields.h"
#include "freeatm/core/files.h"
#include "freeatm/evaluation/segmentation_quality.h"

namespace freeatm::evaluation {

struct SegmentationFilesOptions {
  std::optional<std::string> predictions, truth;  // folders
  std::optional<int64_t> classes;                 // none: as class_names or ids say
  std::optional<std::string> class_names;         // a file, a name a line
  std::string ids = "indices";                    // "indices" | "ade20k" | "cityscapes": what both sides' numbers mean
  int64_t ignore = 255;                           // a number of no class, beside 255
  void fields(config::Fields& f);
};

/// The numbers of SegmentationMetrics for two folders of PNGs, at any depth, that are paired by their names without
/// ending, without Cityscapes' "_leftImg8bit" and "_gtFine_labelIds"; where a name stands twice, by their paths. Counts
/// in LibTorch's threads. Of `score` the limit and `boundary` count.
///   folder: gets confusion.json and the worst pictures as examples.json
/// Throws UserError where the files do not fit together, on numbers in the truth that are of no class, and where no
/// pixel has a class. Such numbers in predictions are wrong, and told.
Metrics score_segmentation_files(const SegmentationFilesOptions& options, const SegmentationScoreOptions& score,
                                 const fs::path& folder);

}  // namespace freeatm::evaluation
