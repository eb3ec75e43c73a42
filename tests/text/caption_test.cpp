// SPDX-License-Identifier: Apache-2.0
#include "freeatm/text/caption.h"

#include "testing.h"

namespace freeatm::text {
namespace {

Caption dog_on_grass() {
  Caption caption{"a dog on wet grass", {}, true};
  caption.phrases = {{"dog", Role::kThing, {2, 5}, {1}}, {"wet grass", Role::kStuff, {9, 18}, {3, 4}}};
  return caption;
}

/// Each phrase reads as the text does where its span says.
void expect_in_place(const Caption& caption) {
  for (const Phrase& phrase : caption.phrases) {
    EXPECT_EQ(caption.text.substr(phrase.span.begin, phrase.span.end - phrase.span.begin), phrase.text);
    EXPECT_TRUE(phrase.tokens.empty()) << "tokens of another text";
  }
}

TEST(Caption, SwappedWordMovesWhatStandsBehindIt) {
  Caption caption = dog_on_grass();
  caption.replace({2, 5}, "fire truck");
  EXPECT_EQ(caption.text, "a fire truck on wet grass");
  EXPECT_EQ(caption.phrases[0].text, "fire truck");
  EXPECT_EQ(caption.phrases[1].text, "wet grass");
  expect_in_place(caption);
  caption.replace({0, 1}, "");
  EXPECT_EQ(caption.phrases[0].span, (Span{1, 11}));
  expect_in_place(caption);
}

TEST(Caption, AddedWordsBelongToNoPhrase) {
  Caption caption = dog_on_grass();
  caption.append(" The block 3 has a dog.");
  EXPECT_EQ(caption.phrases[1].span, (Span{9, 18})) << "it ends where the text ended";
  caption.replace({0, 0}, "here is ");
  EXPECT_EQ(caption.phrases[0].span, (Span{10, 13}));
  caption.replace({10, 10}, "big ");
  EXPECT_EQ(caption.phrases[0].text, "dog") << "put in right before it";
  expect_in_place(caption);
}

TEST(Caption, CutPhrasesKeepWhatIsLeftOfThem) {
  Caption caption = dog_on_grass();
  caption.replace({4, 12}, "ze");  // "a do|g on wet| grass"
  EXPECT_EQ(caption.text, "a doze grass");
  EXPECT_EQ(caption.phrases[0].text, "do");
  EXPECT_EQ(caption.phrases[1].text, " grass");
  expect_in_place(caption);
  Caption gone = dog_on_grass();
  gone.replace({0, 8}, "snow on");
  EXPECT_EQ(gone.phrases[0].span.begin, gone.phrases[0].span.end);
  EXPECT_EQ(gone.phrases[1].text, "wet grass");
  expect_in_place(gone);
  EXPECT_THROW(gone.replace({5, 99}, ""), InternalError);
}

}  // namespace
}  // namespace freeatm::text
