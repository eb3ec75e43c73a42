// SPDX-License-Identifier: Apache-2.0
#include "clip_words.h"

#include <algorithm>

#include "normalization.h"

namespace freeatm::text {
namespace {

bool starts_with(const Character* begin, const Character* end, std::string_view ascii) {
  return end - begin >= static_cast<int64_t>(ascii.size()) &&
         std::equal(ascii.begin(), ascii.end(), begin,
                    [](char a, const Character& b) { return static_cast<char32_t>(a) == b.code; });
}

// A special token in capitals is none, but looks like one once it is lower-cased: CLIP's pattern takes it as a word of
// its own, and the byte level's pattern cuts that into "<|", the letters and "|>". 0: there is none at `begin`.
int64_t imitation_length(const Character* begin, const Character* end) {
  for (std::string_view token : {kStartOfText, kEndOfText}) {
    if (starts_with(begin, end, token)) return static_cast<int64_t>(token.size());
  }
  return 0;
}

// The length of the word at `begin`, which is no space. CLIP's pattern:
// 's|'t|'re|'ve|'m|'ll|'d|[\p{L}]+|[\p{N}]|[^\s\p{L}\p{N}]+
int64_t word_length(const Character* begin, const Character* end) {
  for (std::string_view contraction : {"'s", "'t", "'re", "'ve", "'m", "'ll", "'d"}) {
    if (starts_with(begin, end, contraction)) return static_cast<int64_t>(contraction.size());
  }
  if (is_number(begin->code)) return 1;
  const bool letters = is_letter(begin->code);
  const auto* stop = std::find_if(begin, end, [&](const Character& c) {
    return letters ? !is_letter(c.code) : is_space(c.code) || is_letter(c.code) || is_number(c.code);
  });
  return stop - begin;
}

}  // namespace

std::vector<Character> clean(std::string_view text, int64_t offset) {
  auto characters = decode_utf8(text);
  for (Character& c : characters) c.span = {c.span.begin + offset, c.span.end + offset};
  return lower_case(compose(characters));
}

void for_each_clip_word(const Character* begin, const Character* end,
                        const std::function<void(const Character*, const Character*)>& use) {
  for (const Character* c = begin; c != end;) {
    if (is_space(c->code)) {
      ++c;
      continue;
    }
    if (const int64_t length = imitation_length(c, end); length > 0) {
      use(c, c + 2);
      use(c + 2, c + length - 2);
      use(c + length - 2, c + length);
      c += length;
      continue;
    }
    const int64_t length = word_length(c, end);
    use(c, c + length);
    c += length;
  }
}

}  // namespace freeatm::text
