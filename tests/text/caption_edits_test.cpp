// SPDX-License-Identifier: Apache-2.0
#include "freeatm/text/caption_edits.h"

#include "testing.h"
#include "text/described.h"

namespace freeatm::text {
namespace {

using testing::described;

std::string mirrored(const std::string& text) {
  Caption caption{text};
  mirror(caption);
  return caption.text;
}

TEST(Mirror, SidesChangePlacesAndPhrasesMove) {
  EXPECT_EQ(mirrored("Left: a dog, RIGHT: a cat; the leftmost, right-hand one"),
            "Right: a dog, LEFT: a cat; the rightmost, left-hand one");
  EXPECT_EQ(mirrored("bright leftovers"), "bright leftovers");
  Caption caption = described("to the left a café, on its right a dog", {"café", "dog"});
  mirror(caption);
  EXPECT_EQ(caption.text, "to the right a café, on its left a dog");
  for (const Phrase& phrase : caption.phrases)
    EXPECT_EQ(caption.text.substr(phrase.span.begin, phrase.span.end - phrase.span.begin), phrase.text);
  EXPECT_EQ(caption.phrases[1].text, "dog");
}

TEST(Mirror, SideAndColourWordsAreFound) {
  EXPECT_TRUE(names_a_side("a dog to the LEFT of a cat"));
  EXPECT_FALSE(names_a_side("a bright dog above a cat"));
  EXPECT_TRUE(names_a_colour("a Red-haired dog"));
  EXPECT_FALSE(names_a_colour("a bored dog"));
}

std::string turned(const Caption& caption) { return with_relation_turned(caption).value_or(Caption{"none"}).text; }
std::string swapped(const Caption& caption) { return with_attributes_swapped(caption).value_or(Caption{"none"}).text; }

TEST(WrongCaptions, ARelationIsTurned) {
  EXPECT_EQ(turned(described("a dog to the left of a cat in front of a wall", {"dog", "cat"}, {"wall"})),
            "a dog to the right of a cat in front of a wall");
  EXPECT_EQ(turned(described("a dog above a cat", {"dog", "cat"})), "a dog below a cat");
  EXPECT_EQ(turned(described("a dog behind a cat", {"dog", "cat"})), "a dog in front of a cat");
  EXPECT_EQ(turned(described("a dog in front of a wall", {"dog"}, {"wall"})), "none");
  EXPECT_EQ(turned(described("a dog and a cat", {"dog", "cat"})), "none");
  EXPECT_EQ(turned(Caption{"a dog above a cat"}), "none") << "nobody says what is a thing";
}

TEST(WrongCaptions, AttributesAreSwapped) {
  EXPECT_EQ(swapped(described("a small cat and a big dog", {"cat", "dog"})), "a big cat and a small dog");
  EXPECT_EQ(swapped(described("a small cat and a dog", {"cat", "dog"})), "a big cat and a dog");
  EXPECT_EQ(swapped(described("a red car and an orange cat", {"car", "cat"})), "an orange car and a red cat");
  EXPECT_EQ(swapped(described("two tiny cats", {"cats"})), "two huge cats");
  EXPECT_EQ(swapped(described("a red car and a red cat", {"car", "cat"})), "none");
  EXPECT_EQ(swapped(described("a dog", {"dog"})), "none");
}

}  // namespace
}  // namespace freeatm::text
