// SPDX-License-Identifier: Apache-2.0
#include "freeatm/text/claims.h"

#include "testing.h"
#include "text/described.h"

namespace freeatm::text {
namespace {

using testing::described;

bool fit(const Caption& a, const Caption& b) {
  const bool there = may_both_fit(claims_of(a), claims_of(b));
  EXPECT_EQ(there, may_both_fit(claims_of(b), claims_of(a))) << a.text << " / " << b.text;
  return there;
}

TEST(Claims, TheSameThingsWithThePlaceEqualOrLeftOut) {
  const Caption dog = described("a photo of a dog on the grass", {"dog"}, {"grass"});
  EXPECT_TRUE(fit(dog, described("an image of a dog on the grass", {"dog"}, {"grass"})));
  EXPECT_TRUE(fit(dog, described("a Dog", {"Dog"})));
  EXPECT_FALSE(fit(dog, described("a dog in the water", {"dog"}, {"water"})));
  EXPECT_FALSE(fit(dog, described("a cat on the grass", {"cat"}, {"grass"})));
  EXPECT_FALSE(fit(dog, described("a dog and a cat on the grass", {"dog", "cat"}, {"grass"})));
  EXPECT_TRUE(fit(described("a dog and a cat", {"dog", "cat"}), described("a cat and a dog", {"cat", "dog"})));
  EXPECT_FALSE(fit(described("two dogs", {"dogs"}), described("three dogs", {"dogs"})));
  EXPECT_FALSE(fit(described("a dog and a dog", {"dog", "dog"}), described("a dog", {"dog"}))) << "as many of each";
}

TEST(Claims, SizesAndColoursConflictWhereBothAreSaid) {
  const Caption small = described("a small cat and a dog", {"cat", "dog"});
  EXPECT_TRUE(fit(small, described("a cat and a dog", {"cat", "dog"})));
  EXPECT_TRUE(fit(small, described("a cat and a big dog", {"cat", "dog"}))) << "of different things";
  EXPECT_FALSE(fit(small, described("a dog and a big cat", {"dog", "cat"})));
  EXPECT_FALSE(fit(described("a red car", {"car"}), described("a blue car", {"car"})));
  EXPECT_TRUE(fit(described("a small red car", {"car"}), described("a red car", {"car"})));
  EXPECT_TRUE(fit(described("two small cats", {"cats"}), described("two cats", {"cats"})));
}

TEST(Claims, ARelationCanBeSaidInTwoWays) {
  const Caption left = described("a dog to the left of a cat", {"dog", "cat"});
  EXPECT_TRUE(fit(left, described("a cat to the right of a dog", {"cat", "dog"})));
  EXPECT_TRUE(fit(left, described("a dog and a cat", {"dog", "cat"})));
  EXPECT_FALSE(fit(left, described("a cat to the left of a dog", {"cat", "dog"})));
  EXPECT_FALSE(fit(left, described("a dog above a cat", {"dog", "cat"})));
  const Caption wall = described("a dog and a cat in front of a brick wall", {"dog", "cat"}, {"brick wall"});
  EXPECT_TRUE(fit(left, wall)) << "in front of is the place's word";
}

TEST(Claims, WithoutPhrasesTheTextDecides) {
  EXPECT_TRUE(fit(Caption{"A man  rides a wave."}, Caption{"a man rides a wave"}));
  EXPECT_FALSE(fit(Caption{"a man rides a wave"}, Caption{"a man falls off a wave"}));
  EXPECT_FALSE(fit(Caption{"dog"}, described("dog", {"dog"}))) << "nothing is known of the first";
  EXPECT_FALSE(fit(described("the sky", {}, {"sky"}), described("the water", {}, {"water"})));
}

}  // namespace
}  // namespace freeatm::text
