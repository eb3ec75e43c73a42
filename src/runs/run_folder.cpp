// SPDX-License-Identifier: Apache-2.0
#include "freeatm/runs/run_folder.h"

#include <algorithm>

#include <nlohmann/json.hpp>

#include "freeatm/core/error.h"
#include "freeatm/core/json.h"
#include "freeatm/core/log.h"
#include "freeatm/core/version.h"
#include "freeatm/runs/claimable.h"

#include "lock_file.h"

namespace freeatm::runs {
namespace {

using nlohmann::json;

constexpr const char* kConfigFile = "config.yaml";
constexpr const char* kProgramFile = "program.json";
constexpr const char* kNotes[] = {kConfigFile, kProgramFile, "identity.json", kLockFile};

/// The programs that have worked in a folder; none where the note is missing or damaged, which is no reason to stop.
json noted_programs(const fs::path& file) {
  if (!fs::exists(file)) return json::array();
  try {
    json programs = read_json(file);
    if (programs.is_array()) return programs;
  } catch (const UserError&) {
  }
  return json::array();
}

void note_program(const fs::path& file) {
  const json program{{"version", version()}, {"commit", commit()}, {"libtorch", libtorch_version()}};
  json programs = noted_programs(file);
  if (!programs.empty() && programs.back() == program) return;
  programs.push_back(program);
  write_file(file, programs.dump(2) + "\n");
}

/// Keys whose values are places of inputs that were noted: not the place counts, but what lies there.
std::vector<std::string> keys_of_no_matter(const Claim& claim, const Identity& there) {
  std::vector<std::string> keys = claim.free_keys;
  for (const Input& input : claim.inputs) {
    if (std::ranges::find(there.inputs, input.key, &Input::key) != there.inputs.end()) keys.push_back(input.key);
  }
  return keys;
}

void require_resume(const Claim& claim, bool is_run) {
  if (!is_run && claim.resume == "must")
    throw UserError(claim.out.string(), "resume", "must: there is nothing to go on from");
  if (is_run && claim.resume == "never")
    throw UserError(claim.out.string(), "out", "holds a run already; give another folder, or resume=auto");
}

void require_nothing_else(const Claim& claim) {
  if (!holds_nothing(claim.out))
    throw UserError(claim.out.string(), "out", "is neither empty nor a run folder; give another one");
}

/// How a run that is there differs from what is claimed; throws UserError unless it may.
std::string allowed_difference(const Claim& claim, const Identity& there, const Identity& here) {
  const config::Node saved = config::load_yaml((claim.out / kConfigFile).string());
  std::string difference = first_difference(saved, claim.config, keys_of_no_matter(claim, there));
  const bool is_config = !difference.empty();
  if (!is_config) difference = first_difference(there, here);
  if (!difference.empty() && claim.resume != "force") {
    throw UserError(claim.out.string(), "out", "holds a run of another {} ({}); give another folder, or resume=force",
                    is_config ? "config" : "origin", difference);
  }
  return difference;
}

Identity identity_of_claim(const Claim& claim) { return make_identity(claim.config, claim.free_keys, claim.inputs); }

}  // namespace

void require_claimable(const Claim& claim) {
  const bool is_run = fs::exists(claim.out / kConfigFile);
  require_resume(claim, is_run);
  if (is_run) {
    allowed_difference(claim, read_identity(claim.out), identity_of_claim(claim));
  } else if (fs::exists(claim.out)) {
    require_folder(claim.out, "out");
    require_nothing_else(claim);
  }
}

config::Allowed any_resume() { return config::free(config::any_of({"auto", "never", "must", "force"})); }

RunFolder::RunFolder(const Claim& claim) : path_(claim.out), had_folder_(fs::exists(claim.out)) {
  const bool is_run = fs::exists(path_ / kConfigFile);
  require_resume(claim, is_run);
  prepare_folder(path_);
  if (!is_run) require_nothing_else(claim);
  lock_.emplace(path_);
  remove_leftovers(path_);  // the lock's owner alone writes there
  was_there_ = fs::exists(path_ / kConfigFile);
  was_there_ ? go_on(claim) : begin(claim);
  note_program(path_ / kProgramFile);
}

void RunFolder::begin(const Claim& claim) {
  write_identity(path_, identity_of_claim(claim));
  write_file(path_ / kConfigFile, config::to_yaml(claim.config));
}

void RunFolder::go_on(const Claim& claim) {
  const Identity there = read_identity(path_), here = identity_of_claim(claim);
  const std::string difference = allowed_difference(claim, there, here);
  if (!difference.empty()) {
    log::warning("{}: goes on in spite of {}", path_.string(), difference);
    write_file(path_ / kConfigFile, config::to_yaml(claim.config));
  }
  if (!difference.empty() || there.version.empty()) write_identity(path_, here);
}

RunFolder::~RunFolder() {
  try {
    if (!was_there_) leave();
  } catch (const fs::filesystem_error&) {  // somebody has removed it
  }
}

void RunFolder::leave() const {
  const auto is_ours = [](const fs::directory_entry& entry) {
    return std::ranges::find(kNotes, entry.path().filename()) != std::end(kNotes);
  };
  if (!std::ranges::all_of(fs::directory_iterator(path_), is_ours)) return;
  for (const char* name : kNotes) fs::remove(path_ / name);
  if (!had_folder_ && fs::is_empty(path_)) fs::remove(path_);
}

config::Node run_config(const fs::path& run, const std::string& key) {
  require_folder(run, key);
  if (!fs::exists(run / kConfigFile)) throw UserError(run.string(), key, "is no run folder: it has no {}", kConfigFile);
  return config::load_yaml((run / kConfigFile).string());
}

config::Node group_of_run(const fs::path& run, const std::string& group) {
  const config::Node saved = run_config(run, "checkpoint");
  const config::Node* found = saved.find(group);
  if (found == nullptr || !found->is_map()) {
    throw UserError(run.string(), "checkpoint", "is no run folder of pretrain or finetune: its config.yaml has no {}",
                    group);
  }
  return *found;
}

}  // namespace freeatm::runs
