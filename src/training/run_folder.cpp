// SPDX-License-Identifier: Apache-2.0
#include "freeatm/training/run_folder.h"

#include <algorithm>

#include <nlohmann/json.hpp>
#include <torch/version.h>

#include "freeatm/core/error.h"
#include "freeatm/core/json.h"
#include "freeatm/core/version.h"
#include "freeatm/training/checkpoint.h"

#include "folder_lock.h"

namespace freeatm::training {
namespace {

using nlohmann::json;

constexpr const char* kConfigFile = "config.yaml";
constexpr const char* kProgramFile = "program.json";

std::string text_at(const config::Node* node) { return node == nullptr ? "nothing" : node->text(); }

/// "trainer.lr: 0.001 there, 0.002 here" for the first key that differs, or "".
std::string first_difference(const config::Node& there, const config::Node& here,
                             const std::vector<std::string>& free_keys, const std::string& prefix = "") {
  for (const auto* side : {&here, &there}) {  // keys of either
    for (const auto& [key, unused] : side->map()) {
      const std::string path = prefix + key;
      if (std::find(free_keys.begin(), free_keys.end(), path) != free_keys.end()) continue;
      const config::Node *a = there.find(key), *b = here.find(key);
      if (a != nullptr && b != nullptr && a->is_map() && b->is_map()) {
        std::string inner = first_difference(*a, *b, free_keys, path + ".");
        if (!inner.empty()) return inner;
      } else if (text_at(a) != text_at(b)) {
        return format("{}: {} there, {} here", path, text_at(a), text_at(b));
      }
    }
  }
  return "";
}

bool holds_nothing(const fs::path& folder) {
  return std::ranges::all_of(fs::directory_iterator(folder),
                             [](const auto& entry) { return is_leftover(entry.path()); });
}

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
  const json program{{"version", version()}, {"commit", commit()}, {"libtorch", TORCH_VERSION}};
  json programs = noted_programs(file);
  if (!programs.empty() && programs.back() == program) return;
  programs.push_back(program);
  write_file(file, programs.dump(2) + "\n");
}

// What changes nothing of what is trained.
const std::vector<std::string> kFreeKeys = {"out",
                                            "resume",
                                            "device",
                                            "data.cache_gb",
                                            "loader.workers",
                                            "loader.prefetch",
                                            "loader.max_bad",
                                            "trainer.log_every",
                                            "trainer.checkpoint_every",
                                            "trainer.checkpoint_steps",
                                            "trainer.checkpoint_minutes",
                                            "trainer.keep_last"};

}  // namespace

bool claim_folder(const fs::path& out, const config::Node& config, const std::string& resume,
                  const std::vector<std::string>& free_keys) {
  const bool is_run = fs::exists(out / kConfigFile);
  if (!is_run && resume == "must") throw UserError(out.string(), "resume", "must: there is nothing to go on from");
  if (is_run && resume == "never")
    throw UserError(out.string(), "out", "holds a run already; give another folder, or resume=auto");
  prepare_folder(out);
  if (!is_run && !holds_nothing(out))
    throw UserError(out.string(), "out", "is neither empty nor a run folder; give another one");
  lock_folder(out);
  for (const fs::path& folder : {out, out / "checkpoints"})
    remove_leftovers(folder);  // the lock's owner alone writes there
  if (!fs::exists(out / kConfigFile)) {
    write_file(out / kConfigFile, config::to_yaml(config));
    note_program(out / kProgramFile);
    return false;
  }
  const std::string difference = first_difference(config::load_yaml((out / kConfigFile).string()), config, free_keys);
  if (!difference.empty())
    throw UserError(out.string(), "out", "holds a run of another config ({}); give another folder", difference);
  note_program(out / kProgramFile);
  return true;
}

void release_folder(const fs::path& out) {
  const auto is_ours = [](const fs::directory_entry& entry) {
    const std::string name = entry.path().filename();
    return name == kConfigFile || name == kProgramFile;
  };
  if (!std::ranges::all_of(fs::directory_iterator(out), is_ours)) return;
  for (const char* name : {kConfigFile, kProgramFile}) fs::remove(out / name);
}

std::optional<fs::path> open_run_folder(const fs::path& out, const config::Node& config, const std::string& resume) {
  claim_folder(out, config, resume, kFreeKeys);
  auto checkpoint = latest_checkpoint(out);
  if (resume == "must" && !checkpoint)
    throw UserError(out.string(), "resume", "must: there is no checkpoint to go on from");
  return checkpoint;
}

config::Node run_config(const fs::path& run, const std::string& key) {
  require_folder(run, key);
  if (!fs::exists(run / kConfigFile)) throw UserError(run.string(), key, "is no run folder: it has no {}", kConfigFile);
  return config::load_yaml((run / kConfigFile).string());
}

fs::path require_checkpoint(const fs::path& run, const std::string& key) {
  const auto checkpoint = latest_checkpoint(run);
  if (!checkpoint) throw UserError(run.string(), key, "has no checkpoint yet");
  return *checkpoint;
}

}  // namespace freeatm::training
