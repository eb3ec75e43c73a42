// SPDX-License-Identifier: Apache-2.0
#include "clip_folder.h"

#include <algorithm>
#include <limits>
#include <sstream>

#include <nlohmann/json.hpp>

#include "freeatm/core/error.h"
#include "freeatm/core/json.h"

#include "clip_words.h"
#include "tokenizer_config.h"

namespace freeatm::text {
namespace {

using nlohmann::json;

constexpr int64_t kDefaultLength = 77;  // CLIP's context, where the folder does not say

// merges.txt: "left right", the earliest first.
BytePairs read_vocab_and_merges(const fs::path& folder) {
  const std::string merges_path = (folder / "merges.txt").string(), vocab_path = (folder / "vocab.json").string();
  BytePairs pairs(vocab_path, read_json(vocab_path));
  std::istringstream lines(read_file(merges_path));
  std::string line;
  for (int64_t number = 1; std::getline(lines, line); ++number) {
    if (line.ends_with('\r')) line.pop_back();
    if (line.empty() || (number == 1 && line.starts_with("#version"))) continue;
    const std::string where = format("{}:{}", merges_path, number);
    const size_t space = line.find(' ');
    if (space == std::string::npos || line.find(' ', space + 1) != std::string::npos) {
      throw UserError(where, "", "'{}' is not two pieces with a space between them", line);
    }
    pairs.add_merge(where, line.substr(0, space), line.substr(space + 1));
  }
  return pairs;
}

// The two pieces of "left right" or ["left", "right"].
std::pair<std::string, std::string> read_merge(const std::string& where, const json& merge) {
  if (merge.is_string()) {
    const auto text = merge.get<std::string>();
    const size_t space = text.find(' ');
    if (space != std::string::npos) return {text.substr(0, space), text.substr(space + 1)};
  }
  if (merge.is_array() && merge.size() == 2 && merge[0].is_string() && merge[1].is_string()) {
    return {merge[0].get<std::string>(), merge[1].get<std::string>()};
  }
  throw UserError(where, "", "{} is not two pieces", merge.dump());
}

// tokenizer.json, which has vocabulary and merges inside. Its normalizer and the like are not looked at: transformers'
// CLIPTokenizer has its own.
BytePairs read_tokenizer_json(const std::string& path, const json& root) {
  const json model = root.is_object() ? root.value("model", json()) : json();
  if (!model.is_object()) throw UserError(path, "model", "is not an object");
  const auto require = [&](const char* key, const json& fallback, const json& wanted) {
    const json value = model.value(key, fallback);
    if (value != wanted) throw UserError(path, format("model.{}", key), "{} is not {}", value.dump(), wanted.dump());
  };
  require("type", "BPE", "BPE");
  require("end_of_word_suffix", json(), kEndOfWord);
  require("byte_fallback", false, false);
  require("ignore_merges", false, false);
  require("fuse_unk", false, false);
  require("dropout", json(), json());
  if (model.value("continuing_subword_prefix", json()) != json(""))
    require("continuing_subword_prefix", json(), json());
  require_known_keys(path, model, "model.",
                     {"type", "vocab", "merges", "dropout", "unk_token", "continuing_subword_prefix",
                      "end_of_word_suffix", "fuse_unk", "byte_fallback", "ignore_merges"});
  BytePairs pairs(path + ": model.vocab", model.value("vocab", json()));
  const json merges = model.value("merges", json());
  if (!merges.is_array()) throw UserError(path, "model.merges", "is not a list");
  for (size_t i = 0; i < merges.size(); ++i) {
    const std::string where = format("{}: model.merges[{}]", path, i);
    const auto [left, right] = read_merge(where, merges[i]);
    pairs.add_merge(where, left, right);
  }
  return pairs;
}

AddedToken read_added(const std::string& path, const json& entry, const json& id) {
  const bool named = entry.is_object() && entry.contains("content") && entry["content"].is_string();
  const bool numbered = id.is_number_unsigned() && id.get<uint64_t>() <= std::numeric_limits<int32_t>::max();
  if (!named || !numbered) throw UserError(path, "", "{} is not a token with its id", entry.dump());
  const auto content = entry["content"].get<std::string>();
  if (content.empty()) throw UserError(path, "", "has a token without text");
  for (const char* key : {"single_word", "lstrip", "rstrip"}) {
    if (entry.value(key, json(false)) != false) throw UserError(path, content, "{} is not supported", key);
  }
  return {content, id.get<int64_t>(), entry.value("normalized", json(false)) == true};
}

// tokenizer.json's list, tokenizer_config.json's object by id, and added_tokens.json's by name.
std::vector<AddedToken> read_added_tokens(const fs::path& folder, const json& tokenizer, const json& config) {
  std::vector<AddedToken> out;
  const std::string tokenizer_path = (folder / "tokenizer.json").string();
  if (const json list = tokenizer.value("added_tokens", json::array()); list.is_array()) {
    for (const json& entry : list) {
      out.push_back(read_added(tokenizer_path, entry, entry.is_object() ? entry.value("id", json()) : json()));
    }
  } else {
    throw UserError(tokenizer_path, "added_tokens", "is not a list");
  }
  const std::string config_path = (folder / "tokenizer_config.json").string();
  const json by_id = config.value("added_tokens_decoder", json::object());
  for (const auto& [id, entry] : by_id.items()) {
    out.push_back(read_added(config_path, entry, json::parse(id, nullptr, false)));
  }
  const std::string added_path = (folder / "added_tokens.json").string();
  const json by_name = read_optional(added_path);
  for (const auto& [content, id] : by_name.items()) {
    out.push_back(read_added(added_path, {{"content", content}, {"normalized", true}}, id));
  }
  return out;
}

// "pad_token": "!", or "pad_token": {"content": "!", "normalized": false, ...}; an object says how it is found.
AddedToken special_token(const fs::path& folder, const ClipFolder& all, const json& map, const json& config,
                         const char* key, const char* fallback) {
  AddedToken token{fallback, BytePairs::kUnknown, false};
  for (const json* source : {&map, &config}) {
    const json value = source->value(key, json());
    if (value.is_string()) {
      token.content = value.get<std::string>();
      break;
    }
    if (value.is_object() && value.contains("content") && value["content"].is_string()) {
      token.content = value["content"].get<std::string>();
      token.normalized = value.value("normalized", json(false)) == true;
      break;
    }
  }
  token.id = all.pairs.id(token.content);
  for (const AddedToken& added : all.added) {
    if (token.id == BytePairs::kUnknown && added.content == token.content) token.id = added.id;
  }
  if (token.id == BytePairs::kUnknown) {
    throw UserError(folder.string(), key, "'{}' is not in the vocabulary", token.content);
  }
  return token;
}

const std::vector<std::string>& config_keys() {
  static const std::vector<std::string> keys = [] {
    std::vector<std::string> all = {// read here, or in read_max_length
                                    "added_tokens_decoder",
                                    "bos_token",
                                    "eos_token",
                                    "unk_token",
                                    "pad_token",
                                    "additional_special_tokens",
                                    "extra_special_tokens",
                                    "cls_token",
                                    "sep_token",
                                    "mask_token",
                                    "model_max_length",
                                    "padding_side",
                                    "truncation_side",
                                    "split_special_tokens",
                                    "tokenizer_class"};
    const std::vector<std::string> no_effect = {
        // of decoding, of other tokenizers, or overruled by who calls: diffusers pads and cuts to model_max_length
        "add_prefix_space", "backend", "chat_template", "clean_up_tokenization_spaces", "do_lower_case", "errors",
        "extra_ids", "legacy", "max_length", "model_input_names", "pad_to_multiple_of", "pad_token_type_id", "padding",
        "padding_strategy", "stride", "strip_accents", "tokenize_chinese_chars", "truncation", "truncation_strategy",
        // where files came from
        "_commit_hash", "cache_dir", "from_slow", "is_local", "local_files_only", "merges_file", "name_or_path",
        "processor_class", "revision", "special_tokens_map_file", "subfolder", "tokenizer_file", "transformers_version",
        "trust_remote_code", "use_auth_token", "use_fast", "vocab_file"};
    all.insert(all.end(), no_effect.begin(), no_effect.end());
    return all;
  }();
  return keys;
}

/// Throws UserError for what would give other ids than are given here.
void require_clip_config(const fs::path& path, const json& config) {
  require_known_keys(path, config, "", config_keys());
  const json name = config.value("tokenizer_class", json("CLIPTokenizer"));
  if (name != "CLIPTokenizer" && name != "CLIPTokenizerFast" && !name.is_null())
    throw UserError(path.string(), "tokenizer_class", "{} is not CLIPTokenizer or CLIPTokenizerFast", name.dump());
  if (config.value("split_special_tokens", json(false)) == true)
    throw UserError(path.string(), "split_special_tokens", "true is not implemented; only false is");
}

/// tokenizer.json says the sides where the config does not.
void require_right_directions(const fs::path& path, const json& tokenizer) {
  for (const char* key : {"truncation", "padding"}) {
    const json value = tokenizer.value(key, json());
    const json direction = value.is_object() ? value.value("direction", json("Right")) : json("Right");
    if (direction != "Right")
      throw UserError(path.string(), format("{}.direction", key), "{} is not implemented; only \"Right\" is",
                      direction.dump());
  }
}

/// Tokens for tasks: texts are searched for them, so each must be among those with an id.
void require_special_tokens(const fs::path& path, const json& config, const ClipFolder& folder) {
  std::vector<json> values;
  for (const char* key :
       {"cls_token", "sep_token", "mask_token", "additional_special_tokens", "extra_special_tokens"}) {
    const json value = config.value(key, json());
    if (value.is_array() || (value.is_object() && !value.contains("content")))
      values.insert(values.end(), value.begin(), value.end());
    else if (!value.is_null())
      values.push_back(value);
  }
  for (const json& value : values) {
    const json content = value.is_object() ? value.value("content", json()) : value;
    const bool is_known = content.is_string() && std::ranges::any_of(folder.added, [&](const AddedToken& token) {
                            return token.content == content.get<std::string>();
                          });
    if (!is_known) throw UserError(path.string(), "special tokens", "{} is not among the added tokens", value.dump());
  }
}

}  // namespace

ClipFolder read_clip_folder(const fs::path& folder) {
  require_folder(folder, "");
  const fs::path config_path = folder / "tokenizer_config.json", tokenizer_path = folder / "tokenizer.json";
  const json map = read_optional(folder / "special_tokens_map.json"), config = read_optional(config_path);
  const json tokenizer = read_optional(tokenizer_path);
  require_clip_config(config_path, config);
  if (!config.contains("truncation_side") || !config.contains("padding_side"))
    require_right_directions(tokenizer_path, tokenizer);
  ClipFolder out{fs::exists(tokenizer_path) ? read_tokenizer_json(tokenizer_path.string(), tokenizer)
                                            : read_vocab_and_merges(folder),
                 read_added_tokens(folder, tokenizer, config),
                 read_max_length(config_path, config, kDefaultLength),
                 {},
                 {},
                 {},
                 {}};
  for (const auto& [token, key, fallback] :
       {std::tuple(&out.bos, "bos_token", kStartOfText), std::tuple(&out.eos, "eos_token", kEndOfText),
        std::tuple(&out.unknown, "unk_token", kEndOfText), std::tuple(&out.pad, "pad_token", kEndOfText)}) {
    *token = special_token(folder, out, map, config, key, fallback);
    const auto same = [&](const AddedToken& added) { return added.content == token->content; };
    if (std::none_of(out.added.begin(), out.added.end(), same)) out.added.push_back(*token);
  }
  require_special_tokens(config_path, config, out);
  return out;
}

}  // namespace freeatm::text
