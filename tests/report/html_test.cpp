// SPDX-License-Identifier: Apache-2.0
#include "freeatm/report/html.h"

#include "freeatm/report/table.h"

#include "number.h"
#include "testing.h"

namespace freeatm::report {
namespace {

using testing::contains;

TEST(Html, EscapesWhatMarkupAndAttributesAreMadeOf) {
  EXPECT_EQ(escape("<a href=\"x\">R&D's</a>"), "&lt;a href=&quot;x&quot;&gt;R&amp;D&#39;s&lt;/a&gt;");
  EXPECT_EQ(escape("ein süßer Hund 🐶"), "ein süßer Hund 🐶");
}

TEST(Html, DataUriIsBase64) {  // RFC 4648, section 10
  EXPECT_EQ(data_uri("a/b", ""), "data:a/b;base64,");
  EXPECT_EQ(data_uri("a/b", "f"), "data:a/b;base64,Zg==");
  EXPECT_EQ(data_uri("a/b", "fo"), "data:a/b;base64,Zm8=");
  EXPECT_EQ(data_uri("a/b", "foobar"), "data:a/b;base64,Zm9vYmFy");
  EXPECT_EQ(data_uri("a/b", std::string("\xff\x00\xfe", 3)), "data:a/b;base64,/wD+");
}

TEST(Page, HoldsStyleAndScriptAndAsksForNoOtherFile) {
  Page page("A title", "a lead", "a note");
  page.add("first", "First", "<p>1</p>\n");
  page.add("second", "Second", "<p>2</p>\n");
  const std::string html = page.html();
  EXPECT_TRUE(contains(html, "color-scheme: light dark"));
  EXPECT_TRUE(contains(html, "class Gallery"));
  for (const char* reference : {"https:", "src=", "<link", "@import", "url(", "fetch(", "XMLHttpRequest", "innerHTML"})
    EXPECT_FALSE(contains(html, reference)) << reference;
  EXPECT_LT(html.find("<section id=\"first\""), html.find("<section id=\"second\""));
}

TEST(Page, DataStandsBehindTheScript) {
  Page page("A title");
  page.add_data("<script type=\"application/json\">1</script>\n");
  page.add_data("<script type=\"application/json\">2</script>\n");
  const std::string html = page.html();
  const size_t script = html.find("<script>\n"), first = html.find("json\">1<"), second = html.find("json\">2<");
  EXPECT_LT(script, first);
  EXPECT_LT(first, second);
  EXPECT_LT(second, html.find("</body>"));
}

TEST(Page, TheScriptDoesNotEndItself) {
  const std::string html = Page("").html();
  size_t ends = 0;
  for (size_t at = 0; (at = html.find("</script", at)) != std::string::npos; ++at) ++ends;
  EXPECT_EQ(ends, 1u);
}

TEST(Page, TitleLeadNoteAndHeadingsAreText) {
  Page page("<b>1", "<b>2", "<b>3");
  page.add("x", "<b>4", "");
  page.add("y", "y", "");
  EXPECT_FALSE(contains(page.html(), "<b>"));
}

TEST(Table, NamesAndCommandsAreTextAndBarsEndAtTheGreatest) {
  Table table{{"accuracy", "<i>"}, {{"random", "a < b", {20.0, std::nullopt}}, {"<i>", "", {40.0, 0.785}}}};
  const std::string html = table.html();
  EXPECT_FALSE(contains(html, "<i>"));
  EXPECT_TRUE(contains(html, "<code>a &lt; b</code>"));
  EXPECT_TRUE(contains(html, "--share:0.5\">20</span>"));
  EXPECT_TRUE(contains(html, "--share:1\">40</span>"));
  EXPECT_TRUE(contains(html, ">0.785</span>"));
  EXPECT_TRUE(contains(html, "<td class=\"number\">–</td>"));
}

TEST(Number, HasFourSignificantDigitsOrIsWhole) {
  EXPECT_EQ(number(1234567), "1234567");
  EXPECT_EQ(number(0.123456), "0.1235");
  EXPECT_EQ(number(1e-5), "1e-05");
  EXPECT_EQ(number_on_scale(0.1 + 0.2, 0.1), "0.3");
  EXPECT_EQ(number_on_scale(1500, 500), "1500");
  EXPECT_EQ(number_on_scale(-0.0, 0.05), "0.00");
}

}  // namespace
}  // namespace freeatm::report
