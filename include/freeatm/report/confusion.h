// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <string>

#include "freeatm/core/files.h"

namespace freeatm::report {

/// Of an evaluation's confusion.json, {"classes": ["sky", ...], "counts": [[pixels]], "no_class": [pixels]}, rows the
/// truth's: which class is taken for which, the worst first, and the matrix as a picture, each row in shares of its
/// sum. Classes that neither side has are left out. Throws UserError(file, "", ...) where it is something else.
std::string confusion_html(const fs::path& file);

}  // namespace freeatm::report
