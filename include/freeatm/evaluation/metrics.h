// SPDX-License-Identifier: Apache-2.0
// What was measured, as rows; metrics.json and the terminal give them names.
#pragma once
#include <functional>
#include <string>
#include <vector>

#include "freeatm/core/files.h"

namespace freeatm::evaluation {

struct Metric {
  std::string metric;  // "top1_accuracy"
  double value;
  std::string detail;   // of which part: "dog"
  std::string split;    // of which pictures: "test"
  std::string weights;  // of a backbone's own: ""; or of what stands beside it: "random_weights", "raw_pixels"

  /// "test_top1_accuracy_random_weights", without the detail.
  std::string name() const;
};
using Metrics = std::vector<Metric>;

/// Adds rows as those of a split.
void append(Metrics& metrics, Metrics more, const std::string& split);

/// FOLDER/metrics.json: {"task": ..., "test_top1_accuracy": .9}. Rows with a detail become one object:
/// {"test_accuracy": {"dog": .9, "cat": .8}}.
void write_metrics(const fs::path& folder, const std::string& task, const Metrics& metrics);

/// What FOLDER/metrics.json says, on stdout, a line a number; details are left out.
void print_metrics(const fs::path& folder);

/// The rows as they are, to be read back: [{"metric": "accuracy", "value": .9, "detail": "dog", "split": "test"}].
void write_rows(const fs::path& file, const Metrics& metrics);
/// Throws UserError(file, "", ...) where it is none of these.
Metrics read_rows(const fs::path& file);
/// What an earlier call has left in the file, or what `measure` says, which is then left there: for the first of
/// runtime::ranks(), who all measure or do not.
///   anew: measure in any case
Metrics cached_rows(const fs::path& file, bool anew, const std::function<Metrics()>& measure);

}  // namespace freeatm::evaluation
