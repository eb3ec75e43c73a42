// SPDX-License-Identifier: Apache-2.0
#include "freeatm/text/phrase.h"

#include "freeatm/text/clip_tokenizer.h"

#include "testing.h"

namespace freeatm::text {
namespace {

const Lexicon kLexicon{{"dog", "truck", "fire truck", "box", "bus", "cat", "café"}, {"grass", "brick wall"}};

std::vector<Phrase> find(std::string_view caption) {
  static const ClipTokenizer tokenizer(testing::test_file("text/data/clip_transformers_4"));
  return find_phrases(caption, kLexicon, tokenizer.encode(caption).spans);
}

std::vector<std::string> texts(std::string_view caption) {
  std::vector<std::string> out;
  for (const Phrase& phrase : find(caption)) out.push_back(phrase.text);
  return out;
}

using Texts = std::vector<std::string>;

TEST(FindPhrases, GivesTextRoleSpanAndTokens) {
  const auto phrases = find("a photo of a Fire Truck on the grass");
  ASSERT_EQ(phrases.size(), 2u);
  EXPECT_EQ(phrases[0].text, "Fire Truck");
  EXPECT_EQ(phrases[0].role, Role::kThing);
  EXPECT_EQ(phrases[0].span, (Span{13, 23}));
  EXPECT_EQ(phrases[0].tokens, (std::vector<int64_t>{4, 5, 6}));  // "fi", "re", "truck"
  EXPECT_EQ(phrases[1].text, "grass");
  EXPECT_EQ(phrases[1].role, Role::kStuff);
  EXPECT_EQ(phrases[1].tokens, std::vector<int64_t>{9});
}

TEST(FindPhrases, TakesEveryPieceOfASplitWord) {
  const auto phrases = find("a box");  // the vocabulary has no such word
  ASSERT_EQ(phrases.size(), 1u);
  EXPECT_EQ(phrases[0].tokens, (std::vector<int64_t>{1, 2}));
}

TEST(FindPhrases, PrefersTheLongestName) {
  EXPECT_EQ(texts("a fire truck and a truck"), (Texts{"fire truck", "truck"}));
  EXPECT_EQ(texts("a fire, truck"), Texts{"truck"});
  EXPECT_EQ(texts("a fire-truck by a brick  wall"), (Texts{"fire-truck", "brick  wall"}));
}

TEST(FindPhrases, AllowsPluralsOfTheLastWord) {
  EXPECT_EQ(texts("two dogs, boxes, buses, fire trucks"), (Texts{"dogs", "boxes", "buses", "fire trucks"}));
  EXPECT_EQ(texts("a bus"), Texts{"bus"});
  EXPECT_EQ(texts("fires truck"), Texts{"truck"});
}

TEST(FindPhrases, WantsWholeWords) {
  EXPECT_EQ(texts("hotdog catalogue trucker doge es s"), Texts{});
  EXPECT_EQ(texts("dog's, (cat)!"), (Texts{"dog", "cat"}));
}

TEST(FindPhrases, KeepsRepeatedWordsApart) {
  const auto phrases = find("a dog on a dog");
  ASSERT_EQ(phrases.size(), 2u);
  EXPECT_EQ(phrases[0].tokens, std::vector<int64_t>{1});
  EXPECT_EQ(phrases[1].tokens, std::vector<int64_t>{4});
}

TEST(FindPhrases, KnowsCaseAndAccentsBeyondAscii) {
  EXPECT_EQ(texts("a CAFÉ, a cafe\u0301"), (Texts{"CAFÉ", "cafe\u0301"}));
}

TEST(FindPhrases, GivesNoTokensToWhatWasCutOff) {
  const auto phrases = find_phrases("a dog", kLexicon, {{0, 1}});
  ASSERT_EQ(phrases.size(), 1u);
  EXPECT_TRUE(phrases[0].tokens.empty());
}

TEST(FindPhrases, IsEmptyWithoutNames) {
  EXPECT_TRUE(find_phrases("a dog", {}, {}).empty());
  EXPECT_TRUE(find("").empty());
}

TEST(FindPhrases, KnowsTypographersSigns) {
  const Lexicon lexicon{{"pig", "rocket", "fire truck"}, {}};
  for (const char* caption :
       {"the pig\u2019s rocket", "a \u201cpig\u201d and a \u2018rocket\u2019", "a pig\u2014a rocket",
        "a pig\u2026 a rocket", "a pig\uff0ca rocket", "a pig\u200b and a rocket",
        "\u00abpig\u00bb \u2192 rocket\u2122", "pig\u2028rocket", "\U0001F437pig\U0001F680rocket"}) {
    const auto phrases = find_phrases(caption, lexicon, {});
    ASSERT_EQ(phrases.size(), 2u) << caption;
    EXPECT_EQ(phrases[0].text, "pig");
    EXPECT_EQ(phrases[1].text, "rocket");
  }
  EXPECT_EQ(find_phrases("fire\u2011truck", lexicon, {}).size(), 1u) << "a hyphen that does not break";
  EXPECT_EQ(find_phrases("fire\u2014truck", lexicon, {}).size(), 0u);
}

using Spans = std::vector<Span>;

TEST(PlacesOf, FindsWholeWordsInAnyCase) {
  EXPECT_EQ(places_of("red ball", "A hotdog and a Red  ball"), (Spans{{15, 24}}));
  EXPECT_EQ(places_of("dog", "a dog, a dog"), (Spans{{2, 5}, {9, 12}}));
  EXPECT_EQ(places_of("fire truck", "a fire-truck, a fire truck"), (Spans{{2, 12}, {16, 26}}));
  EXPECT_EQ(places_of("cafe\u0301", "a CAFÉ"), (Spans{{2, 7}}));
  EXPECT_EQ(places_of("dog", "a hotdog"), Spans{});
  EXPECT_EQ(places_of(" ", "a dog"), Spans{});
}

TEST(PlacesOf, KeepsSigns) {
  EXPECT_EQ(places_of("C++", "vitamin C and a C++ book"), (Spans{{16, 19}}));
  EXPECT_EQ(places_of("rocket (toy)", "a rocket (toy), red"), (Spans{{2, 14}}));
  EXPECT_EQ(places_of("\U0001F437", "a \U0001F437!"), (Spans{{2, 6}}));
  EXPECT_EQ(places_of("rocket (toy)", "a rocket, toy"), (Spans{{2, 13}})) << "its words, where its signs are not";
}

TEST(FreePlaceOf, GoesAroundWhatIsTaken) {
  const std::string caption = "a car and a police car";
  EXPECT_EQ(free_place_of("car", caption, {}), (Span{2, 5}));
  EXPECT_EQ(free_place_of("car", caption, {{2, 5}, {12, 22}}), (Span{19, 22})) << "inside of another one, at last";
  EXPECT_EQ(free_place_of("car", caption, {{2, 5}, {19, 22}}), std::nullopt);
}

TEST(Role, HasNames) {
  for (Role role : {Role::kThing, Role::kStuff, Role::kIgnored}) EXPECT_EQ(role_from_name(role_name(role)), role);
  EXPECT_USER_ERROR(role_from_name("noun"), "role: 'noun' is not thing, stuff or ignored");
}

}  // namespace
}  // namespace freeatm::text
