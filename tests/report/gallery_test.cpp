// SPDX-License-Identifier: Apache-2.0
#include "freeatm/report/gallery.h"

#include "testing.h"

namespace freeatm::report {
namespace {

bool contains(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

/// A 3x4 picture of "a dog on the grass": the dog's mask is 2 wide and 1 high at (1, 1), the grass has none.
GalleryItem dog_on_the_grass() {
  GalleryItem item{
      "000000007", vision::Image(3, 4), "a dog on the grass", {{2, 5, "thing", 0.4321}, {13, 18, "stuff", {}}}, {3, 4}};
  item.masks.add(std::vector<uint8_t>{0, 0, 0, 0, 0, 1, 1, 0, 0, 0, 0, 0});
  item.masks.add(std::vector<uint8_t>(12));
  return item;
}

std::string html_of(const GalleryItem& item) {
  Gallery gallery;
  gallery.add(item);
  return gallery.html();
}

TEST(Gallery, PhrasesAreButtonsInTheCaptionAndMasksArePaths) {
  const std::string html = html_of(dog_on_the_grass());
  EXPECT_TRUE(contains(html, "a <button type=\"button\" aria-pressed=\"false\" class=\"phrase c0\" data-phrase=\"0\""));
  EXPECT_TRUE(contains(html, ">dog</button> on the <button"));
  EXPECT_TRUE(contains(html, "class=\"mask thing c0\" data-phrase=\"0\" d=\"M1 1h2v1h-2v-1z\""));
  EXPECT_TRUE(contains(html, "viewBox=\"0 0 4 3\""));
  EXPECT_TRUE(contains(html, "src=\"data:image/png;base64,iVBOR"));
}

TEST(Gallery, SaysScoreBoxAndShareOfAPhrase) {
  const std::string html = html_of(dog_on_the_grass());
  EXPECT_TRUE(contains(html, "data-detail=\"dog · thing · score 0.432 · box 1, 1, 2 × 1 · 17% of the picture\""));
  EXPECT_TRUE(contains(html, "data-detail=\"grass · stuff · no mask\""));
  EXPECT_FALSE(contains(html, "data-phrase=\"1\" d="));
}

TEST(Gallery, CaptionsAndKeysAreText) {
  GalleryItem item = dog_on_the_grass();
  item.key = "\"><script>alert(1)</script>";
  item.caption = "a <script>alert(2)</script> & \"dog\"";
  item.phrases = {{2, 10, "thing", {}}, {29, 34, "stuff", {}}};
  const std::string html = html_of(item);
  EXPECT_FALSE(contains(html, "<script"));
  EXPECT_TRUE(contains(html, "&lt;script&gt;</button>"));
  EXPECT_TRUE(contains(html, "alt=\"a &lt;script&gt;alert(2)&lt;/script&gt; &amp; &quot;dog&quot;\""));
}

TEST(Gallery, SpansThatOverlapOrLieOutsideStayText) {
  GalleryItem item = dog_on_the_grass();
  item.phrases = {{2, 5, "thing", {}}, {4, 8, "thing", {}}};
  EXPECT_TRUE(contains(html_of(item), ">dog</button> on the grass</p>"));
  item.phrases = {{13, 99, "thing", {}}, {-1, 3, "thing", {}}};
  EXPECT_TRUE(contains(html_of(item), "<p class=\"caption\">a dog on the grass</p>"));
}

TEST(Gallery, OffersItsPhrasesAsFilterOnceEach) {
  Gallery gallery;
  for (int i = 0; i < 2; ++i) gallery.add(dog_on_the_grass());
  EXPECT_EQ(gallery.size(), 2);
  EXPECT_TRUE(contains(gallery.html(24), "<datalist><option value=\"dog\"><option value=\"grass\"></datalist>"));
  EXPECT_TRUE(contains(gallery.html(24), "data-fold=\"24\""));
}

}  // namespace
}  // namespace freeatm::report
