// SPDX-License-Identifier: Apache-2.0
#include "freeatm/tables/table_file.h"

#include <gtest/gtest.h>

#include "table_yaml.h"

namespace freeatm::tables {
namespace {

using testing::kTable;
using testing::TableFolder;
using Words = std::vector<std::string>;

TEST(TableFile, RowsChangeTheStepsOfTheTable) {
  const TableFile table = TableFolder().read();
  EXPECT_EQ(table.title, "A table");
  EXPECT_EQ(table.seeds, (std::vector<int64_t>{3, 5}));
  ASSERT_EQ(table.rows.size(), 3u);
  EXPECT_EQ(table.rows[0].title, "plain");
  EXPECT_EQ(table.rows[1].title, "with masks");
  EXPECT_FALSE(table.row("plain").step("world")->has_seed);
  EXPECT_TRUE(table.row("plain").step("linear")->has_seed);
  EXPECT_EQ(
      table.row("control").step("pretrain")->overrides,
      (Words{"data.root=@world/scenes", "trainer.epochs=2", "objective.masks=true", "objective.control=shuffled"}));
  EXPECT_EQ(table.row("control").step("pretrain")->kind, table.row("plain").step("pretrain")->kind);
  EXPECT_EQ(table.baseline, "plain");
}

TEST(TableFile, ALineWithACommandStandsInPlaceOfTheStep) {
  const TableFile table = TableFolder().read(TableFolder::with("objective.masks=true", "world count=3") +
                                             "expected: {plain: {linear: .5}}\ntolerance: .1\n");
  EXPECT_EQ(table.row("masks").step("pretrain")->command, "world");
  EXPECT_EQ(table.row("masks").step("pretrain")->overrides, Words{"count=3"});
  EXPECT_EQ(table.expected.at({"plain", "linear"}).tolerance, .1);
}

TEST(TableFile, IsComposedAsEveryConfigIs) {
  const std::string text = TableFolder::with(
      "seeds: [3, 5]",
      "size: full\nsizes: {quick: {seeds: [1]}, full: {seeds: [1, 2]}}\nseeds: ${sizes.${size}.seeds}");
  EXPECT_EQ(TableFolder().read(text).seeds.size(), 2u);
  EXPECT_EQ(TableFolder().read(text, {"size=quick"}).seeds.size(), 1u);
}

TEST(TableFile, NamesFileAndKeyOfWhatIsWrong) {
  const TableFolder folder;
  const std::vector<std::array<std::string, 3>> wrong = {
      {"title:", "titel:", "table.yaml:1: titel: unknown key; did you mean 'title'?"},
      {"[3, 5]", "[3, 3]", "seeds: 3 stands twice"},
      {"[3, 5]", "[]", "seeds: a list is not a list of seeds"},
      {"[3, 5]", "[1.5]", "1.5 is not a whole number"},
      {"evaluate task", "evalute task",
       "table.yaml:7: steps.linear: 'evalute' is no command: world, pretrain or evaluate; did you mean 'evaluate'?"},
      {"@pretrain", "@pretrian",
       "steps.linear: @pretrian: no such step; there are world or pretrain; did you mean 'pretrain'?"},
      {"trainer.epochs=2", "trainer.epochs", "'trainer.epochs' is not key=value"},
      {"trainer.epochs=2", "out=x", "out is chosen by the table"},
      {"trainer.epochs=2", "trainer.epochs=[2", "a quote or bracket is not closed"},
      {"step: linear", "step: liner", "columns.linear.step: 'liner' is no step"},
      {"metric: test_accuracy", "digits: 3", "columns.linear.metric: required"},
      {"{like: masks", "{like: mask",
       "rows.control.like: 'mask' is no row; there are plain or masks; did you mean 'masks'?"},
      {"{like: masks", "{like: masks, linaer: a=1", "rows.control.linaer: unknown key; did you mean 'linear'?"},
      {"{like: masks", "{columns: [dense]", "rows.control.columns: 'dense' is no column; there are linear"},
      {"baseline: plain", "baseline: plan", "table.yaml:12: baseline: 'plan' is no row"},
      {"baseline: plain", "expected: {plain: {linear: .5}}", "tolerance: required for what is expected of linear"},
      {"baseline: plain", "tolerance: 0\nexpected: {other: {linear: .5}}", "expected.other: 'other' is no row"},
      {"baseline: plain", "tolerance: 0\nexpected: {plain: {linear: high}}",
       "expected.plain.linear: 'high' is not a number"},
  };
  for (const auto& [from, to, message] : wrong) EXPECT_USER_ERROR(folder.read(TableFolder::with(from, to)), message);
  EXPECT_USER_ERROR(folder.read("title: x\n"), "seeds: required");
}

}  // namespace
}  // namespace freeatm::tables
