// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <string>
#include <utility>
#include <vector>

#include "freeatm/core/files.h"

namespace freeatm::report {

/// A folder and the name that stands for it on the page.
struct NamedFolder {
  fs::path path;
  std::string name;
};

/// The folders that have something to show, by what lies in them.
struct Contents {
  fs::path root;
  std::vector<NamedFolder> harvests;     // *.tar
  std::vector<NamedFolder> runs;         // metrics.jsonl
  std::vector<NamedFolder> evaluations;  // metrics.json

  /// What a page calls the folder: its path below the root.
  std::string name_of(const fs::path& folder) const;
  /// "1 harvest, 2 runs, 3 evaluations in runs/quickstart"
  std::string summary() const;
};

///   depth: folders below the root that are looked into
Contents look_into(const fs::path& root, int depth);

/// "<p><code>freeatm harvest --config runs/h/config.yaml": the command that makes the folder again, from the config
/// that it holds; "" where it holds none.
std::string made_by_html(const std::string& command, const fs::path& folder);

/// Of runs (metrics.jsonl): the loss of all in one plot, what else they logged in smaller ones.
std::string curves_html(const std::vector<NamedFolder>& runs);

/// Of runs that leave pictures in RUN/previews: those, under the run's name; "" where none does.
std::string run_previews_html(const std::vector<NamedFolder>& runs);

/// FOLDER/report.html: FOLDER/previews/step_N.png with the newest first, and the curves of FOLDER/metrics.jsonl.
void write_stage_page(const fs::path& folder, const std::string& title, const std::string& lead);

/// Of evaluations (metrics.json): one table for each kind, told by the names of its metrics.
std::string scores_html(const std::vector<NamedFolder>& evaluations);

}  // namespace freeatm::report
