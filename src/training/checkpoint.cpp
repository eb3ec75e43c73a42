// SPDX-License-Identifier: Apache-2.0
#include "freeatm/training/checkpoint.h"

#include <algorithm>
#include <functional>
#include <string_view>
#include <utility>
#include <vector>

#include <nlohmann/json.hpp>

#include "freeatm/core/error.h"
#include "freeatm/core/file_digest.h"
#include "freeatm/core/log.h"
#include "freeatm/core/mapped_file.h"
#include "freeatm/core/random.h"
#include "freeatm/weights/load.h"

namespace freeatm::training {
namespace {

using nlohmann::json;

constexpr const char* kModelFile = "model.safetensors";
constexpr const char* kOptimizerFile = "optimizer.safetensors";
constexpr const char* kAveragesFile = "ema.safetensors";
constexpr const char* kManifest = "manifest.json";
constexpr const char* kStepPrefix = "step_";

/// Writes a file and returns its entry in the manifest.
json save_part(const fs::path& path, const weights::TensorMap& tensors) {
  ByteDigest digest;
  weights::save_safetensors(path.string(), tensors, {}, &digest);
  return {{"size", fs::file_size(path)}, {"xxh3", hash_text(digest.value())}};
}

bool has_digest(std::string_view bytes, const json& said) {
  if (said.contains("fnv1a64")) return said["fnv1a64"] == hash_text(stable_hash(bytes));  // before November 2026
  ByteDigest digest;
  digest.add(bytes);
  return said.value("xxh3", "") == hash_text(digest.value());
}

json read_manifest(const fs::path& folder) {
  json manifest = json::parse(read_file(folder / kManifest), nullptr, /*allow_exceptions=*/false);
  const bool whole =
      manifest.is_object() && manifest.contains("files") && manifest["files"].is_object() &&
      std::ranges::all_of(std::vector<const char*>{"step", "epoch", "step_in_epoch"},
                          [&](const char* key) { return manifest.contains(key) && manifest[key].is_number_integer(); });
  if (!whole) throw UserError((folder / kManifest).string(), "", "is no checkpoint's manifest: cut off or changed");
  return manifest;
}

weights::TensorMap load_checked(const fs::path& folder, const json& manifest, const std::string& name) {
  const fs::path path = folder / name;
  const json said = manifest["files"].value(name, json::object());
  const MappedFile file(path.string());
  const std::string_view bytes(file.data(), file.size());
  if (said.value("size", uint64_t{0}) != bytes.size()) {
    throw UserError(path.string(), "", "has {} bytes, its manifest says {}: the checkpoint is damaged", bytes.size(),
                    said.value("size", uint64_t{0}));
  }
  if (!has_digest(bytes, said)) {
    throw UserError(path.string(), "", "does not have the digest in its manifest: the checkpoint is damaged");
  }
  return weights::load_safetensors(path.string()).tensors;
}

/// None where the checkpoint keeps none.
weights::TensorMap load_averages(const fs::path& folder, const json& manifest) {
  if (!manifest["files"].contains(kAveragesFile)) return {};
  return load_checked(folder, manifest, kAveragesFile);
}

// "step_120" -> 120; -1 for any other name.
int64_t step_of(const fs::path& folder) {
  const std::string name = folder.filename().string();
  const bool fits =
      name.starts_with(kStepPrefix) && name.find_first_not_of("0123456789", 5) == std::string::npos && name.size() > 5;
  return fits ? std::stoll(name.substr(5)) : -1;
}

void remove_old_checkpoints(const fs::path& checkpoints, int64_t newest, int64_t keep_last) {
  std::vector<fs::path> older;
  for (const auto& entry : fs::directory_iterator(checkpoints)) {
    if (entry.is_directory() && step_of(entry.path()) >= 0 && step_of(entry.path()) != newest)
      older.push_back(entry.path());
  }
  std::ranges::sort(older, {}, step_of);
  for (int64_t i = 0; i + keep_last - 1 < static_cast<int64_t>(older.size()); ++i) fs::remove_all(older[i]);
}

}  // namespace

void save_checkpoint(const fs::path& run, const Checkpoint& checkpoint, int64_t keep_last) {
  const fs::path checkpoints = run / "checkpoints";
  prepare_folder(checkpoints);
  const std::string name = format("{}{}", kStepPrefix, checkpoint.position.step);
  const Position& at = checkpoint.position;
  json manifest{{"step", at.step}, {"epoch", at.epoch}, {"step_in_epoch", at.step_in_epoch}};
  PendingPath pending(checkpoints / name);
  fs::create_directory(pending.temporary());
  const auto save = [&](const char* file, const weights::TensorMap& tensors) {
    manifest["files"][file] = save_part(pending.temporary() / file, tensors);
  };
  save(kModelFile, checkpoint.model);
  save(kOptimizerFile, checkpoint.optimizer);
  if (!checkpoint.averages.empty()) save(kAveragesFile, checkpoint.averages);
  write_file(pending.temporary() / kManifest, manifest.dump(2) + "\n");
  pending.commit();
  write_file(checkpoints / "latest", name + "\n");
  remove_old_checkpoints(checkpoints, checkpoint.position.step, keep_last);
}

std::optional<fs::path> latest_checkpoint(const fs::path& run) {
  const fs::path latest = run / "checkpoints" / "latest";
  if (!fs::exists(latest)) return std::nullopt;
  std::string name = read_file(latest);
  while (!name.empty() && name.back() == '\n') name.pop_back();
  fs::path folder = run / "checkpoints" / name;
  if (step_of(name) < 0 || !fs::is_directory(folder))
    throw UserError(latest.string(), "", "names '{}', which is no checkpoint", name);
  return folder;
}

namespace {

/// A checkpoint, or nothing and why it cannot be loaded.
std::optional<Checkpoint> load_whole(const fs::path& folder, std::string& damage) {
  try {
    return load_checkpoint(folder);
  } catch (const UserError& error) {
    damage = error.what();
  } catch (const json::exception&) {
    damage = (folder / kManifest).string() + ": is damaged";
  }
  return std::nullopt;
}

/// The one that `latest` names and those before it, the newest first. Those ahead of it belong to nobody's run.
std::vector<fs::path> checkpoints_of(const fs::path& run) {
  std::string newest = read_file(run / "checkpoints" / "latest");
  while (!newest.empty() && newest.back() == '\n') newest.pop_back();
  std::vector<fs::path> all;
  for (const auto& entry : fs::directory_iterator(run / "checkpoints")) {
    const int64_t step = step_of(entry.path());
    if (entry.is_directory() && step >= 0 && step <= step_of(newest)) all.push_back(entry.path());
  }
  std::ranges::sort(all, std::greater{}, step_of);
  return all;
}

/// The newest that is whole, which is said where it is not the newest of all; where none is, the newest.
///   damaged: gets those that were passed over
std::optional<FoundCheckpoint> newest_whole_checkpoint(const fs::path& run, std::vector<fs::path>& damaged) {
  if (!fs::exists(run / "checkpoints" / "latest")) return std::nullopt;
  const std::vector<fs::path> all = checkpoints_of(run);
  if (all.size() < 2) return FoundCheckpoint{*latest_checkpoint(run), {}};
  std::string of_newest;
  for (const fs::path& folder : all) {
    std::string damage;
    auto whole = load_whole(folder, damage);
    if (whole && !damaged.empty()) log::warning("{}; {} is taken", of_newest, folder.string());
    if (whole) return FoundCheckpoint{folder, std::move(whole)};
    if (damaged.empty()) of_newest = damage;
    damaged.push_back(folder);
  }
  damaged.clear();
  return FoundCheckpoint{*latest_checkpoint(run), {}};
}

}  // namespace

FoundCheckpoint require_checkpoint(const fs::path& run, const std::string& key) {
  std::vector<fs::path> damaged;
  auto checkpoint = newest_whole_checkpoint(run, damaged);
  if (!checkpoint) throw UserError(run.string(), key, "has no checkpoint yet");
  return *std::move(checkpoint);
}

std::optional<FoundCheckpoint> checkpoint_to_go_on_from(const fs::path& run, const std::string& resume) {
  remove_leftovers(run / "checkpoints");
  std::vector<fs::path> damaged;
  auto checkpoint = newest_whole_checkpoint(run, damaged);
  for (const fs::path& folder : damaged) fs::rename(folder, folder.string() + ".damaged");  // out of the way, not lost
  if (!damaged.empty()) write_file(run / "checkpoints" / "latest", checkpoint->folder.filename().string() + "\n");
  if (resume == "must" && !checkpoint)
    throw UserError(run.string(), "resume", "must: there is no checkpoint to go on from");
  return checkpoint;
}

Checkpoint load_checkpoint(const fs::path& folder) {
  const json manifest = read_manifest(folder);
  return {
      .position = {.epoch = manifest["epoch"], .step_in_epoch = manifest["step_in_epoch"], .step = manifest["step"]},
      .model = load_checked(folder, manifest, kModelFile),
      .optimizer = load_checked(folder, manifest, kOptimizerFile),
      .averages = load_averages(folder, manifest)};
}

namespace {

/// Averages stand in for the weights that they are of.
weights::TensorMap averaged_model(weights::TensorMap averages, weights::TensorMap model) {
  averages.merge(std::move(model));  // keeps what is there already
  return averages;
}

}  // namespace

weights::TensorMap load_checkpoint_model(const fs::path& folder) {
  const json manifest = read_manifest(folder);
  return averaged_model(load_averages(folder, manifest), load_checked(folder, manifest, kModelFile));
}

weights::TensorMap load_checkpoint_model(FoundCheckpoint&& found) {
  if (!found.content) return load_checkpoint_model(found.folder);
  return averaged_model(std::move(found.content->averages), std::move(found.content->model));
}

Position restore(FoundCheckpoint&& found, const RunState& state) {
  const Checkpoint checkpoint = found.content ? *std::move(found.content) : load_checkpoint(found.folder);
  const auto load = [&](const weights::TensorMap& destination, const weights::TensorMap& source, const char* file) {
    weights::require_complete(weights::load_into(destination, source), (found.folder / file).string());
  };
  load(weights::module_state(state.model), checkpoint.model, kModelFile);
  state.optimizer.load(checkpoint.optimizer, (found.folder / kOptimizerFile).string());
  load(state.averages, checkpoint.averages, kAveragesFile);
  return checkpoint.position;
}

}  // namespace freeatm::training
