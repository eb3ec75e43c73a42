// SPDX-License-Identifier: Apache-2.0
#include "freeatm/report/previews.h"

#include "testing.h"

namespace freeatm::report {
namespace {

using testing::contains;

int64_t count_of(const std::string& text, const std::string& part) {
  int64_t count = 0;
  for (size_t at = text.find(part); at != std::string::npos; at = text.find(part, at + 1)) ++count;
  return count;
}

TEST(Previews, StandTheNewestFirstUnderTheirCaption) {
  const testing::TemporaryFolder folder;
  EXPECT_EQ(previews_html(folder / "none"), "");
  EXPECT_EQ(previews_html(folder.path()), "");
  for (const char* name : {"step_9.png", "step_10.png", "step_x.png", "step_.png", "other.png", "step_11.txt"})
    write_file(folder / name, "x");
  write_file(folder / "caption.txt", "left & right");
  const std::string html = previews_html(folder.path());
  EXPECT_TRUE(contains(html, "<p>left &amp; right</p>"));
  EXPECT_EQ(count_of(html, "<figure>"), 2);
  EXPECT_LT(html.find("step 10<"), html.find("step 9<"));
}

TEST(Previews, OfALongRunAreSpreadOverIt) {
  const testing::TemporaryFolder folder;
  for (int step = 1; step <= 100; ++step) write_file(folder / format("step_{}.png", step), "x");
  const std::string html = previews_html(folder.path());
  EXPECT_EQ(count_of(html, "<figure>"), 12);
  EXPECT_TRUE(contains(html, "step 100<"));
  EXPECT_TRUE(contains(html, "step 1<"));
}

}  // namespace
}  // namespace freeatm::report
