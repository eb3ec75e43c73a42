// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <optional>
#include <string>
#include <vector>

#include "freeatm/text/phrase.h"

namespace freeatm::data {

/// A prompt. Phrases that its file names (text, role, span; no tokens yet) win over those that are found in the text.
struct Caption {
  std::string text;
  std::optional<std::vector<text::Phrase>> phrases;
};

/// Captions by the file's ending:
///   .jsonl  an object a line: {"caption": "...", "phrases": [{"text": "dog", "role": "thing", "span": [10, 13]}]};
///           of `span` (bytes) and `text` one will do: a text is looked up in the caption; role is "thing" unless given
///   .json   COCO's captions, all of a picture's five, in the file's order
///   else    one caption a line, UTF-8; blank lines are left out
/// With `templates` ("a photo of a {}") the file is a list of class names, one a line: caption i has class
/// i modulo their number, and the next template after each round; the class is its one phrase, a thing.
/// Throws UserError(path:line, "captions", ...) for an empty, binary or broken file.
std::vector<Caption> read_captions(const std::string& path, const std::vector<std::string>& templates = {});

}  // namespace freeatm::data
