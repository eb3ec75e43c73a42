// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <map>
#include <string>

#include "freeatm/core/files.h"
#include "freeatm/report/plot.h"

namespace freeatm::report {

/// The lines of a metrics.jsonl as one series for each number in them, against "step". A last line that is still being
/// written is left out. Throws UserError(file:line, "step", ...).
///   name: of every series
std::map<std::string, Series> read_curves(const fs::path& file, const std::string& name);

}  // namespace freeatm::report
