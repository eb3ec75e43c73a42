// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <memory>
#include <optional>
#include <string>

#include "freeatm/core/files.h"
#include "freeatm/runs/folder_lock.h"
#include "freeatm/tables/record.h"

namespace freeatm::tables {

/// Where jobs work: FOLDER/NAME is a job's own folder, and FOLDER/.table/NAME what tables know of it: log.txt,
/// started.json, and result.json, which says that it has finished. All tables share them.
class JobFolders {
 public:
  explicit JobFolders(fs::path folder) : folder_(std::move(folder)) {}

  fs::path out(const Job& job) const { return folder_ / job.name; }
  fs::path log(const Job& job) const { return notes(job) / "log.txt"; }
  std::string last_log_line(const Job& job) const;

  /// What a job has left behind, where it has finished and its files are still those. One that is half written, or that
  /// somebody has changed, counts as not finished, which is said.
  std::optional<Result> finished(const Job& job) const;
  /// Throws UserError(folder, "table.runs", ...) where what lies in the job's place is not the job's.
  void require_ours(const Job& job) const;

  /// Makes the notes' folder this process's own. Throws UserError where another one has it.
  std::unique_ptr<runs::FolderLock> lock(const Job& job) const;
  /// For a job that is about to start: what cannot be gone on with is cleared away. Returns the minutes that it has
  /// taken so far, in earlier processes.
  double begin(const Job& job) const;
  /// Notes that a job has been stopped, and how long it has taken so far.
  void leave(const Job& job, double minutes) const;
  /// Notes that it has finished. Returns what it has left behind.
  Result finish(const Job& job, Result result) const;

 private:
  fs::path notes(const Job& job) const { return folder_ / ".table" / job.name; }
  fs::path result_file(const Job& job) const { return notes(job) / "result.json"; }
  fs::path started_file(const Job& job) const { return notes(job) / "started.json"; }

  fs::path folder_;
};

}  // namespace freeatm::tables
