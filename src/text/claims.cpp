// SPDX-License-Identifier: Apache-2.0
#include "freeatm/text/claims.h"

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "freeatm/core/random.h"

#include "attributes.h"

namespace freeatm::text {
namespace {

constexpr size_t kThings = 0, kPlaces = 1, kRelation = 2, kSlots = 3, kDescribed = 4;

std::string lower(std::string_view text) {
  std::string out;
  for (const CaptionWord& word : caption_words(text)) out += word.lower + " ";
  return out;
}

std::string joined(const DescribedThing& thing) {
  std::string out = thing.name;
  for (const CaptionWord& word : thing.attributes) out += "," + word.lower;
  return out;
}

std::string relation_of(const Caption& caption, const std::vector<DescribedThing>& things) {
  const std::vector<RelationWord> relations = relation_words(caption);
  if (relations.empty()) return "";
  if (things.size() == 2 && relations.size() == 1) {  // one of two ways to say it
    const bool turned = things[1].name < things[0].name;
    return std::string(turned ? relations[0].opposite : relations[0].word);
  }
  std::vector<std::pair<int64_t, std::string>> parts;
  for (const DescribedThing& thing : things) parts.emplace_back(thing.span.begin, thing.name);
  for (const RelationWord& relation : relations) parts.emplace_back(relation.span.begin, relation.word);
  std::ranges::sort(parts);
  std::string out;
  for (const auto& [place, word] : parts) out += word + ";";
  return out;
}

}  // namespace

int64_t text_number(std::string_view text) {
  return text.empty() ? 0 : static_cast<int64_t>(stable_hash(text, 1) >> 1) | 1;  // never 0
}

Claims claims_of(const Caption& caption) {
  Claims claims{};
  if (caption.phrases.empty()) {
    claims[kThings] = text_number("text " + lower(caption.text));
    return claims;
  }
  std::vector<DescribedThing> things = described_things(caption);
  claims[kRelation] = text_number(relation_of(caption, things));
  std::ranges::sort(things, {}, joined);
  std::string names = "things ";
  for (const DescribedThing& thing : things) names += thing.name + ";";
  claims[kThings] = text_number(names);
  for (size_t i = 0; i < std::min(things.size(), kDescribed); ++i) {
    for (size_t kind = 0; kind < kAttributes; ++kind)
      claims[kSlots + i * kAttributes + kind] = text_number(things[i].attributes[kind].lower);
  }
  std::vector<std::string> places;
  for (const Phrase& phrase : caption.phrases) {
    if (phrase.role == Role::kStuff) places.push_back(lower(phrase.text));
  }
  std::ranges::sort(places);
  std::string all;
  for (const std::string& place : places) all += place + ";";
  claims[kPlaces] = text_number(all);
  return claims;
}

bool may_both_fit(const Claims& a, const Claims& b) {
  if (a[kThings] != b[kThings]) return false;
  return std::ranges::equal(a, b, [](int64_t x, int64_t y) { return x == y || x == 0 || y == 0; });
}

}  // namespace freeatm::text
