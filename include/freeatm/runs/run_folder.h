// SPDX-License-Identifier: Apache-2.0
// The folder that a command writes: config.yaml, program.json, identity.json, and whatever the command puts there.
#pragma once
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "freeatm/config/fields.h"
#include "freeatm/core/files.h"
#include "freeatm/runs/folder_lock.h"
#include "freeatm/runs/identity.h"

namespace freeatm::runs {

/// What `resume` may be:
///   "auto": go on with what is there; "never": only a new folder will do; "must": only one that is there
///   "force": go on although it was made from something else; config.yaml and identity.json are written anew
config::Allowed any_resume();

/// What a command wants of a folder.
struct Claim {
  fs::path out;
  std::string resume = "auto";
  config::Node config;
  std::vector<std::string> free_keys;  // of the config: they may be others than before
  std::vector<Input> inputs;           // that may lie elsewhere than before, but must be the same
};

///   options: with out and resume
template <class Options>
Claim claim_of(const Options& options, const fs::path& out, const std::string& resume, std::vector<Input> inputs = {}) {
  return {out, resume, config::dump(options), config::free_keys(options), std::move(inputs)};
}

/// A folder that is this process's own while this lives. A new one gets its config.yaml and identity.json; one that is
/// there must be of the same config, inputs and version of the program. program.json lists the programs that have
/// worked in it, the first one first. What a killed process left half written is removed.
class RunFolder {
 public:
  /// Throws UserError(out, ...) where another process is at work, or another run or something else lies there.
  explicit RunFolder(const Claim& claim);
  /// A new folder in which nothing came of it is as it was before: another config may have it.
  ~RunFolder();
  RunFolder(const RunFolder&) = delete;
  RunFolder& operator=(const RunFolder&) = delete;

  bool was_there() const { return was_there_; }
  const fs::path& path() const { return path_; }

 private:
  void begin(const Claim& claim);
  void go_on(const Claim& claim);
  void leave() const;

  fs::path path_;
  bool had_folder_, was_there_ = false;
  std::optional<FolderLock> lock_;
};

/// The saved config.yaml. Throws UserError(run, key, ...) where `run` is no run folder.
config::Node run_config(const fs::path& run, const std::string& key);

/// A group of it. Throws UserError(run, "checkpoint", ...) where there is none.
config::Node group_of_run(const fs::path& run, const std::string& group);

template <class Options>
Options options_of_run(const fs::path& run, const std::string& group) {
  return config::read<Options>({.command = "evaluate", .tree = group_of_run(run, group)});
}

}  // namespace freeatm::runs
