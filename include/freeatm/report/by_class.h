// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <string>
#include <vector>

#include "freeatm/report/run_views.h"

namespace freeatm::report {

/// Of evaluations: precision over recall where FOLDER/pr_curves.json has it, what is taken for what where
/// FOLDER/confusion.json has that, and a table of the scores that FOLDER/metrics.json has of each class, folded, or
/// beside a confusion the worst first; "" where none has any. Throws UserError(file, ...) where one is something else.
std::string by_class_html(const std::vector<NamedFolder>& evaluations);

}  // namespace freeatm::report
