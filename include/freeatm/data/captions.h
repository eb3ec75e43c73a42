// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <string>
#include <vector>

#include "freeatm/text/caption.h"

namespace freeatm::data {

/// Prompts by the file's ending:
///   .jsonl  an object a line: {"caption": "...", "phrases": [{"text": "dog", "role": "thing", "span": [10, 13]}]};
///           of `span` (bytes) and `text` one will do: a text is looked up in the caption; role is "thing" unless given
///   .json   COCO's captions, all of a picture's five, in the file's order
///   else    one caption a line, UTF-8; blank lines are left out
/// With `templates` ("a photo of a {}") the file is a list of class names, one a line: caption i has class
/// i modulo their number, and the next template after each round; the class is its one phrase, a thing.
/// Captions are annotated where the file names phrases, which have no tokens yet.
/// Throws UserError(path:line, "captions", ...) for an empty, binary or broken file.
std::vector<text::Caption> read_captions(const std::string& path, const std::vector<std::string>& templates = {});

}  // namespace freeatm::data
