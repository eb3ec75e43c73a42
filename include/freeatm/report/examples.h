// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <string>
#include <vector>

#include "freeatm/report/run_views.h"

namespace freeatm::report {

/// FOLDER/examples.json of evaluations that have one: rows of pictures and lines, what is right and what is wrong
/// marked;
/// "" where none has. Throws UserError(file, ...) where it is something else.
std::string examples_html(const std::vector<NamedFolder>& evaluations);

}  // namespace freeatm::report
