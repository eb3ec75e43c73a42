// SPDX-License-Identifier: Apache-2.0
#include "job_folders.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <sstream>

#include <nlohmann/json.hpp>

#include "freeatm/core/error.h"
#include "freeatm/core/json.h"
#include "freeatm/core/log.h"
#include "freeatm/runs/identity.h"

namespace freeatm::tables {
namespace {

using nlohmann::json;

/// The numbers at the top of an object; others, and what classes have, are left out.
std::map<std::string, double> numbers_of(const json& object) {
  std::map<std::string, double> numbers;
  for (const auto& [name, value] : object.items()) {
    if (value.is_number() && std::isfinite(value.get<double>())) numbers[name] = value.get<double>();
  }
  return numbers;
}

std::string last_line(const std::string& text) {
  const size_t end = text.find_last_not_of("\n\r ");
  if (end == std::string::npos) return "";
  const size_t begin = text.find_last_of("\n\r", end);
  return text.substr(begin == std::string::npos ? 0 : begin + 1,
                     end - (begin == std::string::npos ? 0 : begin + 1) + 1);
}

/// Of metrics.json, or of the last line of a training's metrics.jsonl. Throws UserError where one is broken.
std::map<std::string, double> metrics_in(const fs::path& folder) {
  if (fs::exists(folder / "metrics.json")) return numbers_of(read_json(folder / "metrics.json"));
  if (!fs::exists(folder / "metrics.jsonl")) return {};
  const json line = json::parse(last_line(read_file(folder / "metrics.jsonl")), nullptr, false);
  return line.is_object() ? numbers_of(line) : std::map<std::string, double>{};
}

/// The newest change of a file, in seconds of the same clock as `now_seconds`.
double changed_at(const fs::path& file) {
  return std::chrono::duration<double>(fs::last_write_time(file).time_since_epoch()).count();
}

double now_seconds() {
  return std::chrono::duration<double>(fs::file_time_type::clock::now().time_since_epoch()).count();
}

bool is_training(const fs::path& out) { return fs::exists(out / "checkpoints"); }

}  // namespace

std::string JobFolders::last_log_line(const Job& job) const {
  return fs::exists(log(job)) ? last_line(read_file(log(job))) : "";
}

std::optional<Result> JobFolders::finished(const Job& job) const {
  if (!fs::exists(result_file(job)) || !fs::exists(out(job))) return std::nullopt;
  try {
    const json note = read_json(result_file(job));
    const Result result = result_of(note.at("result").dump());
    if (result.job == job.name && note.at("identity") == runs::identity_of(out(job))) return result;
  } catch (const UserError&) {
  } catch (const json::exception&) {
  }
  log::warning("{}: is not what the job has left there; it is made again", out(job).string());
  return std::nullopt;
}

void JobFolders::require_ours(const Job& job) const {
  const fs::path config = out(job) / "config.yaml";
  // Of a job that was begun here the command's own config may differ: a checkpoint brings its model.
  if (!fs::exists(config) || fs::exists(started_file(job))) return;
  const config::Node saved = config::load_yaml(config.string());
  for (const auto& [path, value] : job.config) {
    const config::Node* there = saved.find_path(path);
    if (there == nullptr || there->text() == value) continue;
    throw UserError(out(job).string(), "table.runs",
                    "holds a run of another config ({}: {} there, {} here); move it away, or give another folder", path,
                    there->text(), value);
  }
}

std::unique_ptr<runs::FolderLock> JobFolders::lock(const Job& job) const {
  fs::create_directories(notes(job));
  return std::make_unique<runs::FolderLock>(notes(job));
}

double JobFolders::begin(const Job& job) const {
  const bool was_finished = fs::exists(result_file(job));
  fs::remove(result_file(job));
  // A training goes on from its checkpoints; whatever else says that it is finished, and is not, stands in the way.
  if (was_finished && !is_training(out(job))) fs::remove_all(out(job));
  if (fs::exists(out(job) / "metrics.json")) {
    try {
      read_json(out(job) / "metrics.json");
    } catch (const UserError&) {
      log::warning("{}: half written; measured anew", (out(job) / "metrics.json").string());
      fs::remove(out(job) / "metrics.json");
    }
  }
  double minutes = 0;
  const fs::path started = started_file(job);
  try {
    if (fs::exists(started) && !was_finished) {
      const json note = read_json(started);
      minutes = note.at("minutes");
      // One that was killed has written its log until then.
      if (note.contains("since") && fs::exists(log(job)))
        minutes += std::max(0.0, changed_at(log(job)) - note.at("since").get<double>()) / 60;
    }
  } catch (const UserError&) {
  } catch (const json::exception&) {
  }
  write_file(started, json{{"job", job.name}, {"minutes", minutes}, {"since", now_seconds()}}.dump() + "\n");
  fs::remove(log(job));
  return minutes;
}

void JobFolders::leave(const Job& job, double minutes) const {
  write_file(started_file(job), json{{"job", job.name}, {"minutes", minutes}}.dump() + "\n");
}

Result JobFolders::finish(const Job& job, Result result) const {
  result.metrics = metrics_in(out(job));
  const json note{{"identity", runs::identity_of(out(job))}, {"result", json::parse(line_of(result))}};
  write_file(result_file(job), note.dump(2) + "\n");
  return result;
}

}  // namespace freeatm::tables
