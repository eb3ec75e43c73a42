// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <string>

#include "freeatm/core/files.h"

namespace freeatm::report {

/// FOLDER/step_N.png as figures, the newest first, under what FOLDER/caption.txt says; "" where there is none. Of many,
/// some that are spread evenly over the run, the first and the last among them.
std::string previews_html(const fs::path& folder);

}  // namespace freeatm::report
