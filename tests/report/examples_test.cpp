// SPDX-License-Identifier: Apache-2.0
#include "freeatm/report/examples.h"

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

}  // namespace
}  // namespace freeatm::report
