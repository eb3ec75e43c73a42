// SPDX-License-Identifier: Apache-2.0
#include "freeatm/training/metrics.h"

#include <cerrno>
#include <chrono>
#include <cmath>
#include <cstring>
#include <fstream>

#include <nlohmann/json.hpp>

#include "freeatm/core/error.h"
#include "freeatm/core/log.h"

#include "append.h"
#include "events.h"

namespace freeatm::training {
namespace {

using nlohmann::ordered_json;

fs::path lines_of(const fs::path& run) { return run / "metrics.jsonl"; }

double now() { return std::chrono::duration<double>(std::chrono::system_clock::now().time_since_epoch()).count(); }

void drop_lines_after(const fs::path& path, int64_t step) {
  std::ifstream in(path);
  if (!in) return;
  std::string kept;
  bool drops = false;
  for (std::string line; std::getline(in, line);) {
    const auto entry = ordered_json::parse(line, nullptr, /*allow_exceptions=*/false);
    const bool is_torn = in.eof();  // no newline: a process was killed there
    const bool stays = !is_torn && entry.is_object() && entry.value("step", step + 1) <= step;
    if (stays) kept += line + "\n";
    drops = drops || !stays;
  }
  in.close();
  if (drops) write_file(path, kept);
}

void warn_once(const fs::path& path) {
  static bool said = false;
  if (!said) log::warning("{}: cannot be written: {}; the run goes on without", path.string(), std::strerror(errno));
  said = true;
}

}  // namespace

void start_metrics(const fs::path& run, int64_t step) {
  drop_lines_after(lines_of(run), step);
  start_events(run, step, now());
}

void append_metrics(const fs::path& run, int64_t step, const NamedValues& values) {
  constexpr double kExact = 9e15;  // integers up to here are doubles
  ordered_json line{{"step", step}};
  for (const auto& [name, value] : values) {
    if (value == std::trunc(value) && std::abs(value) < kExact) {
      line[name] = static_cast<int64_t>(value);
    } else {
      line[name] = value;
    }
  }
  if (!append_whole(lines_of(run), line.dump() + "\n")) warn_once(lines_of(run));
  const auto events = event_files(run);
  if (!events.empty() && !append_whole(events.back(), scalar_record(now(), step, values))) warn_once(events.back());
}

}  // namespace freeatm::training
