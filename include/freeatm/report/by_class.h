// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <string>
#include <vector>

#include "freeatm/report/run_views.h"

namespace freeatm::report {

/// Of evaluations: precision over recall where FOLDER/pr_curves.json has it, and a table of the scores that
/// FOLDER/metrics.json has of each class, folded; "" where none has either. Throws UserError(file, ...) where one is
/// something else.
std::string by_class_html(const std::vector<NamedFolder>& evaluations);

}  // namespace freeatm::report
