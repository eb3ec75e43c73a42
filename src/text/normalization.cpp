// SPDX-License-Identifier: Apache-2.0
#include "normalization.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include "combining_tables.h"
#include "decomposition_table.h"

namespace freeatm::text {
namespace {

/// A character on its way, and how many characters of the text it is more than one: 1 where a decomposition made it
/// beside its first part, -n where n others were composed into it.
struct Part {
  char32_t code;
  int64_t change;
  int combining_class;
};

// Hangul, Unicode 3.12: syllables are counted through.
constexpr char32_t kSyllables = 0xAC00, kLeads = 0x1100, kVowels = 0x1161, kTrails = 0x11A7;
constexpr char32_t kLeadCount = 19, kVowelCount = 21, kTrailCount = 28;
constexpr char32_t kSyllableCount = kLeadCount * kVowelCount * kTrailCount;

constexpr char32_t kFirstMark = 0x300;     // below it every character is its own composed form, and no class is but 0
constexpr char32_t kFirstAccented = 0xC0;  // below it every character is its own decomposed form

int combining_class(char32_t code) {
  if (code < kFirstMark) return 0;
  const auto after = std::upper_bound(std::begin(kCombining), std::end(kCombining), code,
                                      [](char32_t value, const CombiningRange& range) { return value < range.first; });
  if (after == std::begin(kCombining)) return 0;
  const CombiningRange& range = *std::prev(after);
  return code <= range.last ? range.combining_class : 0;
}

// Appends the canonical decomposition's characters.
void append_parts(char32_t code, std::vector<char32_t>& out) {
  if (code >= kSyllables && code - kSyllables < kSyllableCount) {
    const char32_t index = code - kSyllables;
    out.push_back(kLeads + index / (kVowelCount * kTrailCount));
    out.push_back(kVowels + index / kTrailCount % kVowelCount);
    if (index % kTrailCount != 0) out.push_back(kTrails + index % kTrailCount);
    return;
  }
  const auto found = std::lower_bound(std::begin(kDecompositions), std::end(kDecompositions), code,
                                      [](const Decomposition& row, char32_t value) { return row.code < value; });
  if (found == std::end(kDecompositions) || found->code != code) {
    out.push_back(code);
    return;
  }
  append_parts(found->first, out);
  if (found->second != 0) out.push_back(found->second);  // the second part has no decomposition of its own
}

using CodePoints = std::pair<char32_t, char32_t>;

// (first, second) -> composed, sorted.
std::vector<std::pair<CodePoints, char32_t>> make_compositions() {
  std::vector<std::pair<CodePoints, char32_t>> out;
  for (const auto& [code, first, second] : kDecompositions) {
    if (second != 0 && !std::binary_search(std::begin(kExclusions), std::end(kExclusions), code)) {
      out.push_back({{first, second}, code});
    }
  }
  std::sort(out.begin(), out.end());
  return out;
}

// 0: the two do not compose.
char32_t composed(char32_t first, char32_t second) {
  if (first - kLeads < kLeadCount && second - kVowels < kVowelCount) {
    return kSyllables + ((first - kLeads) * kVowelCount + (second - kVowels)) * kTrailCount;
  }
  const bool without_trail = first - kSyllables < kSyllableCount && (first - kSyllables) % kTrailCount == 0;
  if (without_trail && second > kTrails && second - kTrails < kTrailCount) return first + (second - kTrails);
  static const auto kCompositions = make_compositions();
  const auto found =
      std::lower_bound(kCompositions.begin(), kCompositions.end(), std::pair(CodePoints(first, second), U'\0'));
  return found != kCompositions.end() && found->first == CodePoints(first, second) ? found->second : 0;
}

std::vector<Part> decomposed(const std::vector<Character>& characters) {
  std::vector<Part> out;
  std::vector<char32_t> codes;
  for (const Character& character : characters) {
    codes.clear();
    append_parts(character.code, codes);
    for (size_t i = 0; i < codes.size(); ++i) out.push_back({codes[i], i > 0, combining_class(codes[i])});
  }
  for (auto begin = out.begin(); begin != out.end();) {  // runs of marks into canonical order
    const auto end = std::find_if(begin, out.end(), [](const Part& part) { return part.combining_class == 0; });
    std::stable_sort(begin, end, [](const Part& a, const Part& b) { return a.combining_class < b.combining_class; });
    begin = std::find_if(end, out.end(), [](const Part& part) { return part.combining_class != 0; });
  }
  return out;
}

// Composes each mark with the last starter before it unless a mark between them blocks it.
std::vector<Part> recomposed(const std::vector<Part>& parts) {
  std::vector<Part> out;
  size_t starter = parts.size();  // its place in `out`; parts.size(): none yet
  int last_class = 0;             // of what stands behind the starter; 0: nothing
  for (const Part& part : parts) {
    const bool blocked = starter == parts.size() || (last_class != 0 && last_class >= part.combining_class);
    const char32_t code = blocked ? 0 : composed(out[starter].code, part.code);
    if (code != 0) {
      out[starter].code = code;
      out[starter].change += part.change - 1;
      continue;
    }
    out.push_back(part);
    if (part.combining_class == 0) starter = out.size() - 1;
    last_class = starter == parts.size() ? 0 : part.combining_class;
  }
  return out;
}

// The parts as characters of the text: those that are more than it had stand where the one before them stands.
std::vector<Character> placed(const std::vector<Part>& parts, const std::vector<Character>& characters) {
  std::vector<Character> out;
  size_t next = 0;  // of the characters that have their place
  for (const Part& part : parts) {
    if (part.change > 0) {
      out.push_back({part.code, next == 0 ? Span() : characters[next - 1].span});
      continue;
    }
    out.push_back({part.code, characters[next].span});
    next += static_cast<size_t>(1 - part.change);
  }
  return out;
}

bool all_below(char32_t limit, const std::vector<Character>& characters) {
  return std::all_of(characters.begin(), characters.end(), [&](const auto& c) { return c.code < limit; });
}

}  // namespace

std::vector<Character> compose(const std::vector<Character>& characters) {
  if (all_below(kFirstMark, characters)) return characters;
  return placed(recomposed(decomposed(characters)), characters);
}

std::vector<Character> decompose(const std::vector<Character>& characters) {
  if (all_below(kFirstAccented, characters)) return characters;
  return placed(decomposed(characters), characters);
}

}  // namespace freeatm::text
