// SPDX-License-Identifier: Apache-2.0
// RUN/metrics.jsonl, a line a report, and the same scalars as TensorBoard's events, RUN/events.out.tfevents.*.
#pragma once
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "freeatm/core/files.h"

namespace freeatm::training {

using NamedValues = std::vector<std::pair<std::string, double>>;

/// Cuts off what a killed process wrote of steps behind `step`, for they will be written again, and begins a new file
/// of events.
void start_metrics(const fs::path& run, int64_t step);

/// Adds a line: {"step": step, ...}, whole numbers without a point. What cannot be written (a full disk) is left out,
/// and a warning says so once.
void append_metrics(const fs::path& run, int64_t step, const NamedValues& values);

}  // namespace freeatm::training
