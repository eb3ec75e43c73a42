// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <string>
#include <vector>

#include "freeatm/core/files.h"

namespace freeatm::data {

/// A folder's files, sorted out. Pictures are told by their ending, and without a known one by their first bytes.
struct PicturesBelow {
  std::vector<fs::path> pictures, texts;  // texts: *.txt; in byte order
  std::vector<fs::path> passed_over;      // all others
};

/// Throws UserError(path, "data.root", ...) where a folder cannot be read.
PicturesBelow pictures_below(const fs::path& folder);

/// Says once what is passed over, and names the first: "9 files are passed over, for they are no PNG, JPEG ...".
void warn_of_passed_over(const fs::path& root, const std::vector<fs::path>& passed_over);

}  // namespace freeatm::data
