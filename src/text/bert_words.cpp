// SPDX-License-Identifier: Apache-2.0
#include "bert_words.h"

#include <algorithm>
#include <utility>

#include "normalization.h"

namespace freeatm::text {
namespace {

constexpr char32_t kReplacementCharacter = 0xFFFD;

// The blocks of Chinese characters that BERT knows: CJK Unified Ideographs with extensions A to E, and both blocks of
// compatibility ideographs. As transformers has them: extension D's end and E's beginning are not Unicode's.
constexpr std::pair<char32_t, char32_t> kChinese[] = {{0x3400, 0x4DBF},   {0x4E00, 0x9FFF},   {0xF900, 0xFAFF},
                                                      {0x20000, 0x2A6DF}, {0x2A700, 0x2B81F}, {0x2B920, 0x2CEAF},
                                                      {0x2F800, 0x2FA1F}};

bool is_chinese(char32_t code) {
  return std::ranges::any_of(kChinese, [&](const auto& block) { return code >= block.first && code <= block.second; });
}

// Tab and line ends are control characters and spaces: they are spaces here. All other controls go.
bool is_dropped(char32_t code) {
  const bool is_blank = code == '\t' || code == '\n' || code == '\r';
  return code == kReplacementCharacter || (is_control(code) && !is_blank);
}

bool is_word_of_its_own(char32_t code) {
  const bool is_ascii_sign = code > ' ' && code < 0x7F && !is_letter(code) && !is_number(code);  // "$", "^", "~" too
  return is_ascii_sign || is_punctuation(code);
}

}  // namespace

std::vector<Character> clean_for_bert(std::string_view text, int64_t offset, const BertCleaning& cleaning) {
  std::vector<Character> out;
  for (const Character& character : decode_utf8(text)) {
    if (is_dropped(character.code)) continue;
    const Span span{character.span.begin + offset, character.span.end + offset};
    const bool alone = cleaning.split_chinese && is_chinese(character.code);
    if (alone) out.push_back({U' ', span});
    out.push_back({is_space(character.code) ? U' ' : character.code, span});
    if (alone) out.push_back({U' ', span});
  }
  if (cleaning.strip_accents) {
    out = decompose(out);
    std::erase_if(out, [](const Character& character) { return is_nonspacing_mark(character.code); });
  }
  return cleaning.lower_case ? lower_case(out) : out;
}

void for_each_bert_word(const std::vector<Character>& characters,
                        const std::function<void(const Character*, const Character*)>& use) {
  const Character* const end = characters.data() + characters.size();
  for (const Character* c = characters.data(); c != end;) {
    if (is_space(c->code)) {
      ++c;
      continue;
    }
    const Character* last = c + 1;
    if (!is_word_of_its_own(c->code)) {
      last = std::find_if(last, end,
                          [](const Character& next) { return is_space(next.code) || is_word_of_its_own(next.code); });
    }
    use(c, last);
    c = last;
  }
}

}  // namespace freeatm::text
