// SPDX-License-Identifier: Apache-2.0
// What was measured, on stdout and in metrics.json.
#pragma once
#include <string>
#include <vector>

#include "freeatm/core/files.h"
#include "freeatm/evaluation/evaluator.h"

namespace freeatm::commands {

using Metrics = std::vector<evaluation::Metric>;

/// Adds them under other names: "iou.dog" with "test_" and "_random_weights" is "test_iou_random_weights.dog".
void append(Metrics& metrics, const Metrics& more, const std::string& prefix, const std::string& suffix = "");

/// FOLDER/metrics.json. What stands before a name's first dot becomes an object: "accuracy.dog" and "accuracy.cat" are
/// {"accuracy": {"dog": .9, "cat": .8}}.
void write_metrics(const fs::path& folder, const std::string& task, const Metrics& metrics);

/// One line each, but for those that are in an object.
void print_metrics(const Metrics& metrics);

}  // namespace freeatm::commands
