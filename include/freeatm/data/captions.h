// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <string>
#include <vector>

#include "freeatm/text/caption.h"

namespace freeatm::data {

/// Prompts by the file's ending, in any case; a byte order mark and blanks around a caption are nothing's part, a line
/// break in it is a blank, what is null or blank is passed over and counted:
///   .jsonl, .ndjson, and any file whose first line is an object
///           an object a line: {"caption": "...", "phrases": [{"text": "dog", "role": "thing", "span": [10, 13]}]};
///           of `span` (bytes of UTF-8) and `text` one will do, and both must agree: a text is looked up in the
///           caption, longer ones first; role is "thing" unless given
///   .json   COCO's captions, all of a picture's five, in the file's order
///   else    one caption a line, UTF-8; a line that looks like JSON is warned of
/// With `templates` ("a photo of a {}") the captions are names of classes: caption i has class
/// i modulo their number, and the next template after each round; the class is its one phrase, a thing.
/// Captions are annotated where the file names phrases, which have no tokens yet.
/// Throws UserError(path:line, "captions", ...) for an empty, binary or broken file.
std::vector<text::Caption> read_captions(const std::string& path, const std::vector<std::string>& templates = {});

}  // namespace freeatm::data
