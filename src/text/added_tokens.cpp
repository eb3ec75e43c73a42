// SPDX-License-Identifier: Apache-2.0
#include "added_tokens.h"

namespace freeatm::text {
namespace {

Found find_in(std::string_view text, size_t from, const std::vector<AddedToken>& tokens) {
  Found best;
  for (const AddedToken& token : tokens) {
    if (token.normalized) continue;
    const size_t at = text.find(token.content, from);
    const Found found{&token, at, at + token.content.size()};
    if (at != std::string_view::npos && found.wins_over(best)) best = found;
  }
  return best;
}

}  // namespace

void append_token(Encoding& out, int64_t id, const std::string& piece, Span span) {
  out.ids.push_back(id);
  out.pieces.push_back(piece);
  out.spans.push_back(span);
}

void encode_around(std::string_view text, const std::vector<AddedToken>& tokens, Encoding& out,
                   const std::function<void(std::string_view, size_t)>& encode) {
  for (size_t begin = 0; begin < text.size();) {
    const Found found = find_in(text, begin, tokens);
    const size_t end = found.token == nullptr ? text.size() : found.begin;
    encode(text.substr(begin, end - begin), begin);
    if (found.token == nullptr) return;
    append_token(out, found.token->id, found.token->content,
                 {static_cast<int64_t>(found.begin), static_cast<int64_t>(found.end)});
    begin = found.end;
  }
}

}  // namespace freeatm::text
