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

}  // namespace
}  // namespace freeatm::report
