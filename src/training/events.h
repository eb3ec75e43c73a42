// SPDX-License-Identifier: Apache-2.0
// TensorBoard's event files: TFRecords (length, its masked CRC, bytes, their masked CRC) of Event messages, encoded
// here by hand. tensorflow/core/util/event.proto, framework/summary.proto, lib/io/record_writer.h.
#pragma once
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "freeatm/core/files.h"
#include "freeatm/training/metrics.h"

namespace freeatm::training {

/// CRC-32C (Castagnoli) of bytes.
uint32_t crc32c(std::string_view bytes);

/// One record: an event of a step with its scalars.
std::string scalar_record(double wall_time, int64_t step, const NamedValues& values);

/// The event files that freeatm has written in a run's folder, oldest first.
std::vector<fs::path> event_files(const fs::path& run);

/// Cuts the event files off at the first record that is torn or of a later step, and begins a new one, behind the
/// others in the order of names; it tells a TensorBoard that is running to forget the steps behind `step`.
void start_events(const fs::path& run, int64_t step, double wall_time);

}  // namespace freeatm::training
