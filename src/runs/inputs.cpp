// SPDX-License-Identifier: Apache-2.0
// What lies at a place, told by names, sizes and some of the bytes.
#include <algorithm>
#include <fstream>
#include <iterator>
#include <map>
#include <string_view>
#include <utility>

#include "freeatm/core/error.h"
#include "freeatm/core/file_walk.h"
#include "freeatm/core/random.h"
#include "freeatm/runs/identity.h"

namespace freeatm::runs {
namespace {

constexpr int64_t kSampled = 64;          // files, spread evenly
constexpr int64_t kPart = 16 << 10;       // bytes at a file's beginning, middle and end
constexpr int64_t kSmallText = 16 << 20;  // bytes of JSON that are read whole

struct FoundFile {
  fs::path path;
  std::string name;  // below the root
  int64_t size;
  bool is_near_top;
};

/// What commands note beside their work says nothing of it.
bool is_note(const fs::path& path) {
  constexpr std::string_view kNotes[] = {"config.yaml", "program.json", "identity.json"};
  const std::string name = path.filename();
  return name.starts_with('.') || path.extension() == ".index" || path.extension() == ".html" ||
         std::ranges::find(kNotes, name) != std::end(kNotes);
}

bool is_run_folder(const fs::path& path) {
  return fs::exists(path / "config.yaml") && fs::exists(path / "program.json");
}

void add_file(std::vector<FoundFile>& files, const fs::path& path, const fs::path& root, bool is_near_top) {
  if (is_note(path)) return;
  files.push_back(
      {path, path.lexically_relative(root).generic_string(), static_cast<int64_t>(fs::file_size(path)), is_near_top});
}

/// Whether a folder below `top` is of somebody's notes or of a run; `known` is filled.
bool is_left_out(const fs::path& folder, const fs::path& top, std::map<fs::path, bool>& known) {
  if (folder == top) return false;
  const auto found = known.find(folder);
  if (found != known.end()) return found->second;
  const bool is_out = is_note(folder) || is_run_folder(folder) || is_left_out(folder.parent_path(), top, known);
  return known[folder] = is_out;
}

void add_below(std::vector<FoundFile>& files, const fs::path& folder, const fs::path& root) {
  std::map<fs::path, bool> known;
  for (const fs::path& path : files_below(folder, "").files) {
    if (is_left_out(path.parent_path(), folder, known)) continue;
    const fs::path below = path.lexically_relative(folder);
    const auto depth = std::distance(below.begin(), below.end()) - 1;
    add_file(files, path, root, depth == 0 || (folder == root && depth == 1));
  }
}

/// Those of a split, where it has a folder of its own; else all.
std::vector<FoundFile> files_of(const fs::path& root, const std::string& split) {
  std::vector<FoundFile> files;
  if (!fs::is_directory(root)) {
    files.push_back({root, root.extension(), static_cast<int64_t>(fs::file_size(root)), true});
    return files;
  }
  for (const auto& entry : fs::directory_iterator(root)) {
    if (entry.path().extension() == ".tar" && entry.is_regular_file()) add_file(files, entry.path(), root, false);
  }
  if (!files.empty()) return files;
  if (split.empty() || !fs::is_directory(root / split)) {
    add_below(files, root, root);
    return files;
  }
  add_below(files, root / split, root);
  if (!fs::is_directory(root / "annotations")) return files;
  for (const auto& entry : fs::directory_iterator(root / "annotations")) {
    if (entry.is_regular_file() && entry.path().stem().string().ends_with("_" + split))
      add_file(files, entry.path(), root, true);
  }
  return files;
}

uint64_t hash_of_parts(const FoundFile& file, bool is_whole, uint64_t hash) {
  std::ifstream in(file.path, std::ios::binary);
  std::string bytes;
  const auto read = [&](int64_t begin, int64_t count) {
    bytes.resize(static_cast<size_t>(count));
    in.seekg(begin);
    in.read(bytes.data(), count);
    hash = stable_hash(std::string_view(bytes).substr(0, static_cast<size_t>(in.gcount())), hash);
    in.clear();
  };
  if (is_whole || file.size <= 3 * kPart) {
    read(0, file.size);
  } else {
    for (const int64_t begin : {int64_t{0}, (file.size - kPart) / 2, file.size - kPart}) read(begin, kPart);
  }
  return hash;
}

uint64_t hash_of(std::vector<FoundFile> files) {
  std::ranges::sort(files, {}, &FoundFile::name);
  uint64_t hash = 0;
  for (const FoundFile& file : files) hash = stable_hash(format("{} {}\n", file.name, file.size), hash);
  const int64_t count = std::ssize(files), step = std::max<int64_t>(1, count / kSampled);
  for (int64_t i = 0; i < count; ++i) {
    const FoundFile& file = files[static_cast<size_t>(i)];
    const bool is_whole =
        file.is_near_top && file.size <= kSmallText && file.path.extension().string().starts_with(".json");
    if (is_whole || i % step == 0) hash = hash_of_parts(file, is_whole, hash);
  }
  return hash;
}

/// The manifest of a run's newest checkpoint, or of the one that the folder is; "" where it is neither.
std::string manifest_of(const fs::path& path) {
  if (fs::exists(path / "manifest.json")) return read_file(path / "manifest.json");
  const fs::path latest = path / "checkpoints" / "latest";
  if (!fs::exists(latest)) return "";
  std::string name = read_file(latest);
  while (!name.empty() && name.back() == '\n') name.pop_back();
  const fs::path manifest = path / "checkpoints" / name / "manifest.json";
  return fs::exists(manifest) ? read_file(manifest) : "";
}

}  // namespace

std::string identity_of(const fs::path& path, const std::string& split) {
  const std::string manifest = manifest_of(path);
  try {
    return hash_text(manifest.empty() ? hash_of(files_of(path, split)) : stable_hash(manifest));
  } catch (const fs::filesystem_error& error) {
    throw UserError(path.string(), "", "cannot be read: {}", error.code().message());
  }
}

std::vector<Input> data_inputs(const std::string& root, const std::vector<std::string>& mix_with,
                               const std::optional<std::string>& scores, const std::string& split) {
  std::vector<Input> inputs{data_input(root, split)};
  std::string mixed;
  for (const std::string& other : mix_with) mixed += (mixed.empty() ? "" : " ") + identity_of(other, split);
  if (!mix_with.empty()) inputs.push_back({"data.mix_with", mixed});
  if (scores) inputs.push_back({"data.filter.scores", identity_of(*scores)});
  return inputs;
}

}  // namespace freeatm::runs
