// SPDX-License-Identifier: Apache-2.0
#include "freeatm/data/captions.h"

#include <algorithm>
#include <filesystem>
#include <functional>
#include <numeric>
#include <optional>
#include <utility>

#include <nlohmann/json.hpp>

#include "freeatm/core/error.h"
#include "freeatm/core/files.h"
#include "freeatm/core/json.h"
#include "freeatm/core/log.h"

#include "json_caption.h"
#include "passed_over.h"
#include "text_lines.h"

namespace freeatm::data {
namespace {

using Json = nlohmann::json;
using text::Caption;

struct WantedPhrase {
  std::string text;
  std::optional<text::Span> span;
  text::Role role = text::Role::kThing;
};

WantedPhrase wanted_phrase(const Json& json, const Caption& caption, const std::string& where) {
  WantedPhrase wanted{.role = text::role_from_name(json.value("role", "thing"))};
  if (json.contains("text")) wanted.text = json.at("text");
  if (!json.contains("span")) {
    if (wanted.text.empty()) throw UserError(where, "phrases", "{} has neither text nor span", json.dump());
    return wanted;
  }
  const text::Span span{whole_number(json.at("span").at(0)), whole_number(json.at("span").at(1))};
  if (span.begin >= span.end || !caption.holds(span))
    throw UserError(where, "span", "[{}, {}) lies outside of '{}'", span.begin, span.end, caption.text);
  const std::string there = caption.text.substr(span.begin, span.end - span.begin);
  caption.require(span, wanted.text.empty() ? there : wanted.text, where);
  wanted.span = span;
  return wanted;
}

/// What has no span is looked up, the longest first: "car" is not the one of "police car". What is named twice has two
/// places.
void place_phrases(const std::vector<WantedPhrase>& wanted, Caption& caption, const std::string& where) {
  std::vector<size_t> order(wanted.size());
  std::iota(order.begin(), order.end(), size_t{0});
  std::ranges::stable_sort(order, std::greater(), [&](size_t i) { return wanted[i].text.size(); });
  std::vector<text::Span> taken;
  for (const WantedPhrase& phrase : wanted) {
    if (phrase.span) taken.push_back(*phrase.span);
  }
  caption.phrases.resize(wanted.size());
  for (const size_t i : order) {
    const auto place = wanted[i].span ? wanted[i].span : text::free_place_of(wanted[i].text, caption.text, taken);
    if (!place) {
      const char* how = text::places_of(wanted[i].text, caption.text).empty() ? "does not stand in"
                                                                              : "is named more often than it stands in";
      throw UserError(where, "phrases", "'{}' {} '{}'", wanted[i].text, how, caption.text);
    }
    if (!wanted[i].span) taken.push_back(*place);
    caption.phrases[i] = {caption.text.substr(place->begin, place->end - place->begin), wanted[i].role, *place, {}};
  }
}

/// Nothing where the caption is null or blank.
std::optional<Caption> read_caption(const Json& json, const std::string& where) {
  std::optional<Caption> caption = json_caption(json);
  if (!caption) return caption;
  require_plain_text(caption->text, where, "caption");
  std::vector<WantedPhrase> wanted;
  for (const Json& phrase : json.value("phrases", Json::array()))
    wanted.push_back(wanted_phrase(phrase, *caption, where));
  place_phrases(wanted, *caption, where);
  return caption;
}

std::vector<Caption> read_json_lines(const std::vector<TextLine>& lines, const std::string& path) {
  std::vector<Caption> captions;
  PassedOver passed_over(path);
  for (const TextLine& line : lines) {
    require_shallow_json(line.text, line.where, "captions");
    try {
      if (auto caption = read_caption(Json::parse(line.text), line.where)) {
        captions.push_back(std::move(*caption));
      } else {
        passed_over.add(line.where);
      }
    } catch (const Json::exception& error) {
      throw UserError(line.where, "captions", R"(is no {"caption": "..."}: {})", error.what());
    }
  }
  return captions;
}

std::vector<Caption> read_coco_captions(const std::string& path) {
  std::vector<Caption> captions;
  PassedOver passed_over(path);
  const std::string bytes = read_file(path, "captions");
  const std::string_view text = trimmed_text(bytes);
  require_shallow_json(text, path, "captions");
  try {
    const Json json = Json::parse(text);
    for (const Json& annotation : json.at("annotations")) {
      if (auto caption = read_caption(annotation, path)) {
        captions.push_back(std::move(*caption));
      } else {
        passed_over.add(annotation.contains("id") ? "id " + annotation.at("id").dump() : "without an id");
      }
    }
  } catch (const Json::exception& error) {
    throw UserError(path, "captions", "is no whole file of COCO's captions: {}", error.what());
  }
  return captions;
}

bool looks_like_json(const std::string& line) {
  return (line.starts_with('{') || line.starts_with('[')) && Json::accept(line);
}

/// Captions a line, or JSON: by the ending, in any case, or by what the first line is.
std::vector<Caption> read_any_lines(const std::string& path, std::string_view ending) {
  if (!fs::exists(path) && path.find(' ') != std::string::npos)
    throw UserError(path, "captions", "no such file; captions are the lines of one, a prompt itself is not taken");
  std::vector<TextLine> lines = read_lines(path, "captions");
  const bool says_json = ending == ".jsonl" || ending == ".ndjson";
  if (says_json || (!lines.empty() && lines[0].text.starts_with('{') && looks_like_json(lines[0].text)))
    return read_json_lines(lines, path);
  const auto odd = std::ranges::find_if(lines, [](const TextLine& line) { return looks_like_json(line.text); });
  if (odd != lines.end()) log::warning("{}: looks like JSON and is taken as a caption's words", odd->where);
  std::vector<Caption> captions;
  captions.reserve(lines.size());
  for (TextLine& line : lines) captions.push_back({.text = std::move(line.text)});
  return captions;
}

std::vector<Caption> fill_templates(const std::vector<Caption>& classes, const std::vector<std::string>& templates) {
  std::vector<Caption> captions;
  for (const std::string& pattern : templates) {
    const size_t hole = pattern.find("{}");
    if (hole == std::string::npos || pattern.find("{}", hole + 2) != std::string::npos)
      throw UserError("", "templates", "'{}' needs one {} for the class's name", pattern, "{}");
    for (const Caption& one : classes) {
      const auto begin = static_cast<int64_t>(hole), end = begin + std::ssize(one.text);
      const text::Phrase phrase{one.text, text::Role::kThing, {begin, end}, {}};
      captions.push_back({pattern.substr(0, hole) + one.text + pattern.substr(hole + 2), {phrase}, true});
    }
  }
  return captions;
}

}  // namespace

std::vector<Caption> read_captions(const std::string& path, const std::vector<std::string>& templates) {
  const std::string ending = lower_ascii(std::filesystem::path(path).extension().string());
  std::vector<Caption> captions = ending == ".json" ? read_coco_captions(path) : read_any_lines(path, ending);
  if (!templates.empty()) captions = fill_templates(captions, templates);
  if (captions.empty()) throw UserError(path, "captions", "holds no caption: one a line is wanted");
  return captions;
}

}  // namespace freeatm::data
