// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <functional>
#include <memory>
#include <set>
#include <vector>

#include "freeatm/core/error.h"
#include "freeatm/exports/exports.h"
#include "freeatm/weights/safetensors.h"

namespace freeatm::exports {
namespace {

constexpr const char *kWeightsFile = "model.safetensors", *kConfigFile = "config.json";
constexpr const char* kTokenizerFiles[] = {"vocab.txt",
                                           "vocab.json",
                                           "merges.txt",
                                           "tokenizer.json",
                                           "tokenizer_config.json",
                                           "added_tokens.json",
                                           "special_tokens_map.json"};

/// Files below a folder by their names in it.
std::set<std::string> files_below(const fs::path& folder) {
  std::set<std::string> names;
  for (const auto& entry : fs::recursive_directory_iterator(folder)) {
    if (!entry.is_directory()) names.insert(entry.path().lexically_relative(folder).string());
  }
  return names;
}

bool is_same(const fs::path& one, const fs::path& other) {
  if (fs::is_directory(one) != fs::is_directory(other)) return false;
  if (!fs::is_directory(one)) return fs::file_size(one) == fs::file_size(other) && read_file(one) == read_file(other);
  const std::set<std::string> names = files_below(one);
  return names == files_below(other) &&
         std::ranges::all_of(names, [&](const std::string& name) { return is_same(one / name, other / name); });
}

/// Nothing but an export may be replaced, whatever is asked for.
void require_replaceable(const fs::path& out, bool is_folder, bool overwrite, const std::string& key) {
  if (fs::is_directory(out) != is_folder)
    throw UserError(out.string(), key, "is a {}; a {} is wanted", is_folder ? "file" : "folder",
                    is_folder ? "folder" : "file");
  if (!overwrite) throw UserError(out.string(), key, "is there and is something else; overwrite=true replaces it");
  if (is_folder && !fs::exists(out / kConfigFile) && !fs::is_empty(out))
    throw UserError(out.string(), key, "is no folder of a model (it has no {}): not replaced", kConfigFile);
}

void write_content(const Exported& exported, const fs::path& path) {
  if (exported.content.empty())
    weights::save_safetensors(path.string(), exported.tensors, exported.metadata);
  else
    write_file(path, exported.content);
}

void write_folder(const Exported& exported, const fs::path& folder) {
  fs::create_directory(folder);
  for (const auto& [name, content] : exported.files) write_file(folder / name, content);
  write_content(exported, folder / kWeightsFile);
  if (exported.tokenizer.empty()) return;
  if (!fs::is_directory(exported.tokenizer)) {
    fs::copy_file(exported.tokenizer, folder / kTokenizerFiles[0]);
    return;
  }
  for (const char* name : kTokenizerFiles) {
    const bool is_there = fs::exists(exported.tokenizer / name) && !fs::exists(folder / name);
    if (is_there) fs::copy_file(exported.tokenizer / name, folder / name);
  }
}

struct Piece {
  fs::path out;
  std::function<void(const fs::path&)> make;
};

/// A folder, or a file and those beside it.
std::vector<Piece> pieces_of(const Exported& exported, const fs::path& out) {
  if (exported.is_folder) return {{out, [&](const fs::path& path) { write_folder(exported, path); }}};
  std::vector<Piece> pieces;
  for (const auto& file : exported.files) {
    fs::path beside = out;
    pieces.push_back({beside.replace_extension(file.first),
                      [&content = file.second](const fs::path& path) { write_file(path, content); }});
  }
  pieces.push_back({out, [&](const fs::path& path) { write_content(exported, path); }});
  return pieces;
}

}  // namespace

bool write(const Exported& exported, const fs::path& given, bool overwrite, const std::string& key) {
  const fs::path out = given.has_filename() ? given : given.parent_path();  // behind a slash
  if (out.has_parent_path()) prepare_folder(out.parent_path(), key);
  std::vector<std::unique_ptr<PendingPath>> wanted;
  for (const Piece& piece : pieces_of(exported, out)) {
    auto pending = std::make_unique<PendingPath>(piece.out);
    pending->remove_abandoned();
    piece.make(pending->temporary());
    if (fs::exists(piece.out)) {
      if (is_same(piece.out, pending->temporary())) continue;
      require_replaceable(piece.out, exported.is_folder, overwrite, key);
    }
    wanted.push_back(std::move(pending));
  }
  for (const auto& pending : wanted) pending->commit();
  return !wanted.empty();
}

}  // namespace freeatm::exports
