// SPDX-License-Identifier: Apache-2.0
// Sets whose annotations are PNGs, one for each picture, that hold a number for each pixel.
#pragma once
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "freeatm/core/files.h"
#include "freeatm/data/dataset.h"
#include "freeatm/data/label_numbers.h"

namespace freeatm::data {

struct LabelledPicture {
  std::string key;
  fs::path picture, labels;
};

/// The pictures below one folder with the PNGs of the same paths below the other: "a/b.jpg" with "a/b.png". What has no
/// counterpart is left out and counted. Throws UserError(pictures, "data.root", ...) where nothing is left.
///   picture_ending: "": of any picture
std::vector<LabelledPicture> pair_labels(const fs::path& pictures, std::string_view picture_ending,
                                         const fs::path& labels, std::string_view labels_ending);

/// Samples are read from their two files, which must be of one size: the PNG's says whether EXIF's turn counts. Numbers
/// become places among the classes, all at once; one that is neither a class's nor ignored is refused with its file.
std::unique_ptr<Dataset> open_label_pngs(std::vector<LabelledPicture> pictures, const LabelNumbers& numbers);

}  // namespace freeatm::data
