// SPDX-License-Identifier: Apache-2.0
#include "freeatm/core/python_json.h"

namespace freeatm {

std::string without_infinities(std::string_view text) {
  std::string out;
  bool in_string = false;
  for (size_t i = 0; i < text.size();) {
    size_t skipped = 0;
    for (const std::string_view word : {"-Infinity", "Infinity", "NaN"}) {
      if (!in_string && text.substr(i).starts_with(word)) skipped = word.size();
      if (skipped > 0) break;
    }
    if (skipped > 0) {
      out += "null";
      i += skipped;
      continue;
    }
    if (text[i] == '"') in_string = !in_string;
    if (in_string && text[i] == '\\' && i + 1 < text.size()) out += text[i++];
    out += text[i++];
  }
  return out;
}

}  // namespace freeatm
