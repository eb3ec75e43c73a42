// SPDX-License-Identifier: Apache-2.0
#include "words.h"

#include <stdexcept>

#include <gtest/gtest.h>

namespace freeatm::tables {
namespace {

using Words = std::vector<std::string>;

TEST(Words, AreDividedByBlanksOutsideOfQuotesAndBrackets) {
  EXPECT_EQ(words_of("  evaluate task=knn\n  a=[1, 2] b='x y' c={d: [1, 2]} "),
            (Words{"evaluate", "task=knn", "a=[1, 2]", "b='x y'", "c={d: [1, 2]}"}));
  EXPECT_EQ(words_of(""), Words());
  EXPECT_THROW(words_of("a='x"), std::invalid_argument);
  EXPECT_THROW(words_of("a=[1"), std::invalid_argument);
  EXPECT_THROW(words_of("a=1]"), std::invalid_argument);
}

TEST(Words, LaterOverridesTakeThePlaceOfThoseOfTheirKey) {
  EXPECT_EQ(key_of("++trainer.lr=1"), "trainer.lr");
  EXPECT_EQ(key_of("~trainer.lr"), "trainer.lr");
  EXPECT_EQ(merged({"checkpoint=@pretrain", "task=knn"}, {"checkpoint=none", "++seed=3"}),
            (Words{"task=knn", "checkpoint=none", "++seed=3"}));
}

TEST(Words, ReferencesBeginAValueOrAnElement) {
  EXPECT_EQ(references_in("data.root=@world/objects"), Words{"world"});
  EXPECT_EQ(references_in("roots=[@a,@b/x]"), (Words{"a", "b"}));
  EXPECT_EQ(references_in("name=user@host"), Words());
  EXPECT_EQ(references_in("group@package=x"), Words());
  EXPECT_EQ(references_in("name='@a'"), Words());
  EXPECT_EQ(references_in("name=@"), Words());
}

TEST(Words, PlacesAreWrittenAsOverridesAre) {
  const auto place = [](const std::string& name) { return "runs/" + name + "_1"; };
  EXPECT_EQ(with_places("data.root=@world/objects", place), "data.root=runs/world_1/objects");
  EXPECT_EQ(with_places("roots=[@a,{b:@b/x}]", place), "roots=[runs/a_1,{b:runs/b_1/x}]");
  EXPECT_EQ(with_places("a=1", place), "a=1");
  EXPECT_EQ(with_places("a=@b", [](const std::string&) { return "my runs/b"; }), "a='my runs/b'");
}

}  // namespace
}  // namespace freeatm::tables
