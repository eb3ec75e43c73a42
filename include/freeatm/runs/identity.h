// SPDX-License-Identifier: Apache-2.0
// What a run is made from, so that nobody goes on with something else unawares.
#pragma once
#include <optional>
#include <string>
#include <vector>

#include "freeatm/config/node.h"
#include "freeatm/core/files.h"

namespace freeatm::runs {

/// What lies at `path`, in 16 digits that stay the same wherever it is moved to. Cheap: what is large is not read.
///   a run folder or one of its checkpoints: the newest checkpoint's manifest, which has the digests of its files
///   a folder with shards: those; any other: the files in it, run folders left out, with `split` only those of
///   <split>/ and annotations/*_<split>.*
/// Of files count the names, the sizes, and parts of what 64 of them hold; of small JSON near the top, all.
std::string identity_of(const fs::path& path, const std::string& split = "");

/// Something that a run reads, told by what lies there instead of by where it lies.
struct Input {
  std::string key;  // of the config, whose value is the place: "data.root"
  std::string identity;
};

/// "data.root" of most commands.
inline Input data_input(const std::string& root, const std::string& split) {
  return {"data.root", identity_of(root, split)};
}

/// The same with what is mixed with it, and the file by which it is filtered.
std::vector<Input> data_inputs(const std::string& root, const std::vector<std::string>& mix_with,
                               const std::optional<std::string>& scores, const std::string& split);

struct Identity {
  std::string version;  // of the program
  std::string config;   // of the keys that make a difference
  std::vector<Input> inputs;
};

/// Of this program's version.
///   free_keys: keys of the config that make none; those of the inputs are left out, too
Identity make_identity(const config::Node& config, const std::vector<std::string>& free_keys,
                       std::vector<Input> inputs);

/// FOLDER/identity.json. One that is missing or damaged has nothing in it.
Identity read_identity(const fs::path& folder);
void write_identity(const fs::path& folder, const Identity& identity);

/// "trainer.lr: 0.001 there, 0.002 here" for the first key in which two configs differ, or "".
std::string first_difference(const config::Node& there, const config::Node& here,
                             const std::vector<std::string>& free_keys);
/// The first difference between programs' versions or inputs, where both sides say something of them, or "".
std::string first_difference(const Identity& there, const Identity& here);

}  // namespace freeatm::runs
