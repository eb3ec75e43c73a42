// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <optional>

#include <nlohmann/json.hpp>

#include "freeatm/text/caption.h"

#include "plain_text.h"

namespace freeatm::data {

/// {"caption": "...", "phrases": ...} without its phrases: line breaks are blanks, and where no phrase counts bytes the
/// ends are trimmed. Nothing where it is null or blank.
///   key: where the text stands
inline std::optional<text::Caption> json_caption(const nlohmann::json& json, const char* key = "caption") {
  const nlohmann::json& text = json.at(key);
  if (text.is_null()) return std::nullopt;
  text::Caption caption{one_line(text), {}, json.contains("phrases")};
  const std::string_view trimmed = trimmed_text(caption.text);
  if (trimmed.empty()) return std::nullopt;
  if (!caption.is_annotated) caption.text = std::string(trimmed);
  return caption;
}

}  // namespace freeatm::data
