// SPDX-License-Identifier: Apache-2.0
#include "freeatm/weights/weight_files.h"

#include <algorithm>
#include <array>
#include <fstream>
#include <set>
#include <string_view>

#include <nlohmann/json.hpp>

#include "freeatm/core/content.h"
#include "freeatm/core/error.h"
#include "freeatm/core/json.h"
#include "freeatm/core/log.h"
#include "freeatm/weights/name_map.h"
#include "freeatm/weights/torch_file.h"

namespace freeatm::weights {
namespace {

constexpr const char* kIndexSuffix = ".index.json";

bool is_index(const std::string& path) { return path.ends_with(".json"); }

// "a.safetensors" -> "a.fp16.safetensors", "a.safetensors.index.json" -> "a.safetensors.index.fp16.json"
std::string with_variant(const std::string& name, const std::string& variant) {
  if (variant.empty()) return name;
  const size_t dot = name.rfind('.');
  return name.substr(0, dot) + "." + variant + name.substr(dot);
}

// The order in which a variant's files are looked for.
std::vector<std::string> candidates(const WeightNames& names, const std::string& variant) {
  std::vector<std::string> out;
  for (const char* whole : {names.safetensors, names.torch}) {
    const std::string file = with_variant(whole, variant),
                      index = with_variant(whole + std::string(kIndexSuffix), variant);
    const bool index_first = names.index_first && whole == names.safetensors;
    out.push_back(index_first ? index : file);
    // diffusers wrote a variant's index under this name before version 0.31.
    if (index_first && !variant.empty()) out.push_back(whole + ("." + variant) + kIndexSuffix);
    out.push_back(index_first ? file : index);
  }
  return out;
}

// Tensor -> file.
std::map<std::string, std::string> read_index(const std::string& path) {
  const nlohmann::json root = read_json(path);
  const auto map = root.is_object() ? root.find("weight_map") : root.end();
  if (!root.is_object() || map == root.end() || !map->is_object() || map->empty()) {
    throw UserError(path, "weight_map", "is not an object of tensors and their files");
  }
  std::map<std::string, std::string> out;
  for (const auto& [name, value] : map->items()) {
    const std::string file = value.is_string() ? value.get<std::string>() : "";
    if (file.empty() || file.find('/') != std::string::npos || file == "..") {
      throw UserError(path, name, "{} is not the name of a file beside the index", value.dump());
    }
    out.emplace(name, file);
  }
  return out;
}

WeightFiles files_of(const fs::path& path) {
  WeightFiles out{path.string(), {}};
  if (!is_index(out.path)) {
    out.files.push_back(out.path);
    return out;
  }
  std::set<std::string> shards;
  for (const auto& [name, file] : read_index(out.path)) shards.insert((path.parent_path() / file).string());
  for (const std::string& shard : shards) require_file(shard, "");
  out.files.assign(shards.begin(), shards.end());
  return out;
}

// "bf16", of NAME.bf16.safetensors; of shards NAME.bf16-00001-of-00002.safetensors the index alone says it
std::vector<std::string> variants_in(const fs::path& folder, const WeightNames& names) {
  std::set<std::string> found;
  for (const auto& entry : fs::directory_iterator(folder)) {
    const std::string file = entry.path().filename().string();
    for (const std::string whole : {names.safetensors, names.torch}) {
      const size_t dot = whole.rfind('.');
      const std::string stem = whole.substr(0, dot + 1), ending = whole.substr(dot);
      for (const std::string& end : {ending, ending + kIndexSuffix}) {
        if (!file.starts_with(stem) || !file.ends_with(end) || file.size() <= stem.size() + end.size()) continue;
        found.insert(file.substr(stem.size(), file.size() - stem.size() - end.size()));
      }
      // "NAME.safetensors.index.bf16.json"
      const std::string begin = whole + ".index.";
      if (file.starts_with(begin) && file.ends_with(".json") && file.size() > begin.size() + 5)
        found.insert(file.substr(begin.size(), file.size() - begin.size() - 5));
    }
  }
  std::erase_if(found, [](const std::string& name) { return name.find('.') != std::string::npos; });
  return {found.begin(), found.end()};
}

// "; it holds a.ckpt, b.safetensors": what the folder has in their place.
std::string instead(const fs::path& folder) {
  constexpr std::array kEndings = {".safetensors", ".bin", ".pt", ".pth", ".ckpt", ".msgpack", ".h5", ".onnx", ".gguf"};
  std::set<std::string> files;
  for (const auto& entry : fs::directory_iterator(folder)) {
    const std::string name = entry.path().filename().string();
    if (std::ranges::any_of(kEndings, [&](const char* ending) { return name.ends_with(ending); })) files.insert(name);
  }
  std::string text;
  for (const std::string& name : files) text += (text.empty() ? "; it holds " : ", ") + name;
  return text;
}

}  // namespace

WeightFiles find_weights(const fs::path& folder, const WeightNames& names, const std::string& variant) {
  require_folder(folder, "");
  const auto variants = variant.empty() ? std::vector<std::string>{"", "fp16"} : std::vector<std::string>{variant};
  for (const std::string& each : variants) {
    for (const std::string& name : candidates(names, each)) {
      if (fs::exists(folder / name)) return files_of(folder / name);
    }
  }
  std::vector<std::string> others = variants_in(folder, names);
  if (variant.empty() && others.size() == 1) {
    log::info("{}: the variant {} is the only one there, and is taken", folder.string(), others[0]);
    return find_weights(folder, names, others[0]);
  }
  throw UserError(folder.string(), "", "holds no weights: neither {} nor {}, nor {}{}",
                  with_variant(names.safetensors, variant), with_variant(names.torch, variant),
                  variant.empty() ? "an fp16 variant or an index of shards" : "an index of shards", instead(folder));
}

TensorMap load_weights(const WeightFiles& weights) {
  TensorMap out;
  std::map<std::string, std::string> origin;
  for (const std::string& file : weights.files) {
    for (const auto& [name, tensor] : load_weight_file(file)) {
      const auto [other, is_new] = origin.emplace(name, file);
      if (!is_new) throw UserError(file, name, "is in {} too", other->second);
      out.emplace(name, tensor);
    }
  }
  if (!is_index(weights.path)) return out;
  for (const auto& [name, file] : read_index(weights.path)) {
    const auto found = origin.find(name);
    if (found == origin.end() || fs::path(found->second).filename() != file) {
      throw UserError(weights.path, name, "is not in {}", file);
    }
  }
  return out;
}

TensorMap load_weight_file(const std::string& path, const std::string& entry) {
  require_file(path, "");
  char head[64] = {};
  std::ifstream(path, std::ios::binary).read(head, sizeof head);
  const std::string_view start(head, sizeof head);
  require_content(start, path, "");
  const bool of_torch = start.starts_with("PK") || start.starts_with("\x80\x02\x8a");  // a zip file, a pickle
  if (of_torch || !path.ends_with(".safetensors")) return load_torch_file(path, entry);
  TensorMap tensors = load_safetensors(path).tensors;
  if (entry.empty()) return tensors;
  TensorMap named = names_behind(entry, tensors);
  if (named.empty()) throw UserError(path, "weights.entry", "'{}' is not what names in this file begin with", entry);
  return named;
}

}  // namespace freeatm::weights
