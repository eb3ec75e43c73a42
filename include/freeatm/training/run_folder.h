// SPDX-License-Identifier: Apache-2.0
// A run folder: config.yaml, program.json, metrics.jsonl, events.out.tfevents.*, checkpoints/.
#pragma once
#include <optional>
#include <string>
#include <vector>

#include "freeatm/config/node.h"
#include "freeatm/core/files.h"

namespace freeatm::training {

/// Claims `out` for this process and for runs of this config: a new folder gets its config.yaml; one that is there must
/// be of the same config, but for `free_keys`. program.json lists the programs that have worked in it, the first one
/// first. No other process can claim it until this one ends; what a killed one left half written is removed.
///   resume: "auto"; "never": only a new folder will do; "must": only one that is there
/// Returns whether it was there. Throws UserError(out, ...) where another run, or something else, lies there.
bool claim_folder(const fs::path& out, const config::Node& config, const std::string& resume,
                  const std::vector<std::string>& free_keys);

/// Takes back what a claim has written where nothing else came of it; another config may have the folder then.
void release_folder(const fs::path& out);

/// Claims the folder of a training, a new one or one that is there, and finds the checkpoint that the run goes on from.
///   config: the run's options, dumped; keys that do not change what is trained may differ from the saved ones
///   resume: "auto": go on where there is a checkpoint; "never": only a new folder will do; "must": only a checkpoint
///   will do
/// Throws UserError(out, ...) where another run, or something else, lies there.
std::optional<fs::path> open_run_folder(const fs::path& out, const config::Node& config, const std::string& resume);

/// The saved config.yaml. Throws UserError(run, key, ...) where `run` is no run folder.
config::Node run_config(const fs::path& run, const std::string& key);

/// The newest checkpoint's folder. Throws UserError(run, key, ...) where there is none.
fs::path require_checkpoint(const fs::path& run, const std::string& key);

}  // namespace freeatm::training
