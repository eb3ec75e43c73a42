// SPDX-License-Identifier: Apache-2.0
#include "freeatm/report/examples.h"

#include "freeatm/report/by_class.h"

#include "testing.h"

namespace freeatm::report {
namespace {

using testing::contains;

TEST(ExamplesPage, MarksWhatIsRightAndWhatIsWrong) {
  const testing::TemporaryFolder folder;
  const std::vector<NamedFolder> evaluations{{folder.path(), "retrieval"}};
  EXPECT_EQ(examples_html(evaluations), "");
  fs::create_directories(folder / "examples");
  write_file(folder / "examples/0.png", "x");
  write_file(folder / "examples.json",
             R"([{"title": "a <dog>", "cells": [{"text": "", "picture": "examples/0.png"},
                 {"text": "a cat & a dog", "right": false}, {"text": "a dog", "right": true}]}])");
  const std::string html = examples_html(evaluations);
  EXPECT_TRUE(contains(html, "<h4>a &lt;dog&gt;</h4>"));
  EXPECT_TRUE(contains(html, "<figure class=\"wrong\"><figcaption><b>✗</b> a cat &amp; a dog</figcaption>"));
  EXPECT_TRUE(contains(html, "<figure class=\"right\"><figcaption><b>✓</b> a dog</figcaption>"));
  EXPECT_TRUE(contains(html, "<figure><img alt=\"\" src=\"data:image/png;base64,"));
}

TEST(ExamplesPage, RefusesWhatIsNoneOfOurs) {
  const testing::TemporaryFolder folder;
  const std::vector<NamedFolder> evaluations{{folder.path(), "x"}};
  for (const auto& [text, part] :
       {std::pair("{", "is not an evaluation's examples"),
        {"[{}]", "is not an evaluation's"},
        {R"([{"title": "", "cells": [{"text": "", "picture": "../secret"}]}])",
         "'../secret' lies outside of the folder"},
        {R"([{"title": "", "cells": [{"text": "", "picture": "gone.png"}]}])", "gone.png"}}) {
    write_file(folder / "examples.json", text);
    EXPECT_USER_ERROR(examples_html(evaluations), part);
  }
}

TEST(ByClass, HasTheMeanPrecisionOfTheClassesThatAreThereAndATable) {
  const testing::TemporaryFolder folder;
  const std::vector<NamedFolder> evaluations{{folder.path(), "det"}};
  write_file(folder / "metrics.json", R"({"bbox_AP": 0.5})");
  EXPECT_EQ(by_class_html(evaluations), "");
  write_file(folder / "metrics.json", R"({"bbox_AP": 0.5, "bbox_AP_by_class": {"cat": 0.25, "a <dog>": 0.75},
                                          "bbox_AP50_by_class": {"a <dog>": 1}})");
  write_file(folder / "pr_curves.json", R"({"bbox": {"recall": [0, 1], "iou": [0.5], "classes": {
      "cat": {"precision": [[1, 0]]}, "a <dog>": {"precision": [[1, 0.5]]}, "fox": {"precision": []}}}})");
  const std::string html = by_class_html(evaluations);
  EXPECT_TRUE(contains(html, "IoU 0.5"));
  EXPECT_TRUE(contains(html, "0.25")) << "the mean of 0 and .5, without the fox";
  EXPECT_TRUE(contains(html, "a &lt;dog&gt;"));
  EXPECT_TRUE(contains(html, "bbox AP50 by class"));
  EXPECT_TRUE(contains(html, "–")) << "the cat has no AP50";
}

TEST(ByClass, RefusesWhatIsNoneOfOurs) {
  const testing::TemporaryFolder folder;
  write_file(folder / "metrics.json", "{}");
  for (const char* text : {"{", "[]", R"({"bbox": {}})"}) {
    write_file(folder / "pr_curves.json", text);
    EXPECT_USER_ERROR(by_class_html({{folder.path(), "x"}}), "pr_curves.json");
  }
}

class Confused : public ::testing::Test {
 protected:
  std::string html(const std::string& confusion, const std::string& metrics = "{}") {
    write_file(folder_ / "metrics.json", metrics);
    write_file(folder_ / "confusion.json", confusion);
    return by_class_html({{folder_.path(), "seg"}});
  }
  testing::TemporaryFolder folder_;
};

TEST_F(Confused, TheWorstComeFirst) {
  const std::string page = html(R"({"classes": ["sky", "a <road>", "sea", "moon"],
      "counts": [[98, 0, 2, 0], [60, 30, 0, 0], [0, 0, 50, 0], [0, 0, 0, 0]], "no_class": [0, 10, 0, 0]})",
                                R"({"mean_iou": 0.6, "iou_by_class": {"sky": 0.7, "a <road>": 0.3, "sea": 0.9}})");
  const size_t most = page.find("a &lt;road&gt; taken for sky</th>"),
               next = page.find("a &lt;road&gt; taken for no class</th>"), least = page.find("sky taken for sea</th>");
  EXPECT_LT(most, next);
  EXPECT_LT(next, least);
  EXPECT_LT(least, page.size());
  EXPECT_TRUE(contains(page, "<title>a &lt;road&gt; taken for sky: 60 %, 60 pixels</title>"));
  EXPECT_TRUE(contains(page, "<title>sky: 98 % right</title>"));
  EXPECT_TRUE(contains(page, "1 class is neither there nor predicted"));
  EXPECT_FALSE(contains(page, "moon"));
  const size_t table = page.find("<details open><summary>Each class, the worst first");
  ASSERT_LT(table, page.size());
  EXPECT_LT(page.find("a &lt;road&gt;", table), page.find("sky", table));
}

TEST_F(Confused, NothingIsSaidWhereNothingIsConfused) {
  const std::string page = html(R"({"classes": ["sky"], "counts": [[9]], "no_class": [0]})");
  EXPECT_FALSE(contains(page, "confused"));
  EXPECT_FALSE(contains(page, "neither"));
  EXPECT_TRUE(contains(page, "<title>sky: 100 % right</title>"));
}

TEST_F(Confused, ManyClassesHaveSmallCellsWithoutNumbers) {
  std::string names, counts, zeros;
  for (int i = 0; i < 150; ++i) {
    names += format("{}\"{} {}\"", i > 0 ? ", " : "", std::string(30, 'n'), i);
    zeros += i > 0 ? ", 0" : "0";
  }
  for (int i = 0; i < 150; ++i) counts += format("{}[1{}]", i > 0 ? ", " : "", zeros.substr(1));
  const std::string page =
      html("{\"classes\": [" + names + "], \"counts\": [" + counts + "], \"no_class\": [" + zeros + "]}");
  EXPECT_FALSE(contains(page, "class=\"share\""));
  EXPECT_TRUE(contains(page, "n…</text>")) << "long names are cut";
  EXPECT_LT(page.size(), 200'000u);
}

TEST_F(Confused, RefusesWhatIsNoneOfOurs) {
  for (const char* text : {"{", "[]", R"({"classes": ["a"], "counts": [], "no_class": [0]})",
                           R"({"classes": ["a", "b"], "counts": [[1], [2, 3]], "no_class": [0, 0]})",
                           R"({"classes": ["a"], "counts": [["x"]], "no_class": [0]})"})
    EXPECT_USER_ERROR(html(text), "confusion.json");
}

}  // namespace
}  // namespace freeatm::report
