// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "freeatm/text/tokenizer.h"

namespace freeatm::text {

/// A token that is found in the text before anything else is done with it.
struct AddedToken {
  std::string content;
  int64_t id;
  bool normalized;  // found in the normalised text; else in the text as it stands
};

/// An added token at its place: [begin, end) of a text in bytes, or of characters.
struct Found {
  const AddedToken* token = nullptr;
  size_t begin = 0, end = 0;

  /// Of two tokens the first wins, of two that begin together the longer one.
  bool wins_over(const Found& other) const {
    return other.token == nullptr || std::pair(begin, other.end) < std::pair(other.begin, end);
  }
};

void append_token(Encoding& out, int64_t id, const std::string& piece, Span span);

/// Appends the tokens that are found in the text as it stands, and calls `encode(stretch, offset)` for each stretch
/// between them.
void encode_around(std::string_view text, const std::vector<AddedToken>& tokens, Encoding& out,
                   const std::function<void(std::string_view stretch, size_t offset)>& encode);

}  // namespace freeatm::text
