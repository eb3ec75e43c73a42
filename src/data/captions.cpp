// SPDX-License-Identifier: Apache-2.0
#include "freeatm/data/captions.h"

#include <algorithm>
#include <filesystem>
#include <sstream>

#include <nlohmann/json.hpp>

#include "freeatm/core/error.h"
#include "freeatm/core/files.h"
#include "freeatm/core/json.h"

#include "plain_text.h"

namespace freeatm::data {
namespace {

using Json = nlohmann::json;
using text::Caption;

struct Line {
  std::string text, where;  // "captions.txt:3"
};

/// Those that are not blank.
std::vector<Line> read_lines(const std::string& path) {
  std::istringstream in(read_file(path, "captions"));
  std::vector<Line> lines;
  std::string line;
  for (int64_t number = 1; std::getline(in, line); ++number) {
    if (!line.empty() && line.back() == '\r') line.pop_back();
    const std::string where = format("{}:{}", path, number);
    if (!is_plain_text(line)) throw UserError(where, "captions", "is not UTF-8 text: one caption a line is wanted");
    if (line.find_first_not_of(" \t") != std::string::npos) lines.push_back({line, where});
  }
  return lines;
}

text::Phrase read_phrase(const Json& json, const std::string& caption, const std::vector<text::Phrase>& earlier,
                         const std::string& where) {
  text::Phrase phrase;
  phrase.role = text::role_from_name(json.value("role", "thing"));
  const auto length = static_cast<int64_t>(caption.size());
  if (json.contains("span")) {
    phrase.span = {whole_number(json.at("span").at(0)), whole_number(json.at("span").at(1))};
    if (phrase.span.begin < 0 || phrase.span.begin >= phrase.span.end || phrase.span.end > length) {
      throw UserError(where, "span", "[{}, {}) lies outside of '{}'", phrase.span.begin, phrase.span.end, caption);
    }
  } else {
    const std::string words = json.at("text");
    int64_t from = 0;  // what is named twice has two places
    for (const text::Phrase& other : earlier) {
      if (text::place_of(words, other.text)) from = std::max(from, other.span.end);
    }
    const auto place = text::place_of(words, caption, from);
    if (!place) throw UserError(where, "phrases", "'{}' does not stand in '{}'", words, caption);
    phrase.span = *place;
  }
  phrase.text = caption.substr(phrase.span.begin, phrase.span.end - phrase.span.begin);
  return phrase;
}

Caption read_caption(const Json& json, const std::string& where) {
  Caption caption{json.at("caption"), {}, json.contains("phrases")};
  if (!is_plain_text(caption.text) || caption.text.find_first_not_of(" \t") == std::string::npos)
    throw UserError(where, "caption", "is empty, or holds control characters");
  if (!caption.is_annotated) return caption;
  for (const Json& phrase : json.at("phrases"))
    caption.phrases.push_back(read_phrase(phrase, caption.text, caption.phrases, where));
  return caption;
}

std::vector<Caption> read_json_lines(const std::string& path) {
  std::vector<Caption> captions;
  for (const Line& line : read_lines(path)) {
    require_shallow_json(line.text, line.where, "captions");
    try {
      captions.push_back(read_caption(Json::parse(line.text), line.where));
    } catch (const Json::exception& error) {
      throw UserError(line.where, "captions", R"(is no {"caption": "..."}: {})", error.what());
    }
  }
  return captions;
}

std::vector<Caption> read_coco_captions(const std::string& path) {
  std::vector<Caption> captions;
  const std::string text = read_file(path, "captions");
  require_shallow_json(text, path, "captions");
  try {
    const Json json = Json::parse(text);
    for (const Json& annotation : json.at("annotations")) captions.push_back(read_caption(annotation, path));
  } catch (const Json::exception& error) {
    throw UserError(path, "captions", "is no whole file of COCO's captions: {}", error.what());
  }
  return captions;
}

std::vector<Caption> fill_templates(const std::vector<Line>& classes, const std::vector<std::string>& templates) {
  std::vector<Caption> captions;
  for (const std::string& pattern : templates) {
    const size_t hole = pattern.find("{}");
    if (hole == std::string::npos || pattern.find("{}", hole + 2) != std::string::npos)
      throw UserError("", "templates", "'{}' needs one {} for the class's name", pattern, "{}");
    for (const Line& line : classes) {
      const auto begin = static_cast<int64_t>(hole), end = begin + static_cast<int64_t>(line.text.size());
      const text::Phrase phrase{line.text, text::Role::kThing, {begin, end}, {}};
      captions.push_back({pattern.substr(0, hole) + line.text + pattern.substr(hole + 2), {phrase}, true});
    }
  }
  return captions;
}

}  // namespace

std::vector<Caption> read_captions(const std::string& path, const std::vector<std::string>& templates) {
  const auto extension = std::filesystem::path(path).extension();
  std::vector<Caption> captions;
  if (!templates.empty()) {
    captions = fill_templates(read_lines(path), templates);
  } else if (extension == ".jsonl") {
    captions = read_json_lines(path);
  } else if (extension == ".json") {
    captions = read_coco_captions(path);
  } else {
    for (Line& line : read_lines(path)) captions.push_back({.text = std::move(line.text)});
  }
  if (captions.empty()) throw UserError(path, "captions", "holds no caption: one a line is wanted");
  return captions;
}

}  // namespace freeatm::data
