// SPDX-License-Identifier: Apache-2.0
// What finished jobs have left behind as numbers: a file of JSON lines that outlives the folders of runs.
#pragma once
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "freeatm/tables/job_graph.h"

namespace freeatm::tables {

struct Result {
  std::string job, step, kind, title;
  std::optional<int64_t> seed;
  std::string command;  // the whole line
  std::map<std::string, double> metrics;
  double minutes = 0;
  int64_t threads = 0;
  std::string machine, date, version, commit;
};

/// Text of one line, and back; throws nlohmann's exceptions for a line of something else.
std::string line_of(const Result& result);
Result result_of(const std::string& line);

/// One file. Lines that cannot be read are passed over, and said: a killed process may have left one.
class Record {
 public:
  explicit Record(fs::path file);

  const fs::path& file() const { return file_; }
  /// The last one of a job; nullptr where there is none, or where the program's own values were others when it was
  /// made, which is said once.
  const Result* find(const Job& job);
  /// What jobs of a kind have taken on average; none where none has finished.
  std::optional<double> minutes_of(const std::string& kind) const;
  /// Adds it to the file, whole.
  void add(const Job& job, const Result& result);

 private:
  struct Entry {
    Result result;
    std::string defaults;  // of the values that the program had by itself
  };
  void read();
  void append(const std::string& line) const;

  fs::path file_;
  std::map<std::string, Entry> entries_;    // by job
  std::map<std::string, Values> defaults_;  // by hash
  std::map<std::string, bool> told_;        // differences that were said
};

/// Now, as "2026-11-30T01:02:03Z", and the processor: "AMD EPYC 7763, 2 cores".
std::string date_now();
std::string machine_name();

}  // namespace freeatm::tables
