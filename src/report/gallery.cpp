// SPDX-License-Identifier: Apache-2.0
#include "freeatm/report/gallery.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "freeatm/core/error.h"
#include "freeatm/report/html.h"

#include "number.h"
#include "outline.h"

namespace freeatm::report {
namespace {

constexpr size_t kColours = 8;  // --c0 ... --c7 in page.css

std::string colour_class(size_t phrase) { return "c" + std::to_string(phrase % kColours); }

std::string attribute(std::string_view name, std::string_view value) {
  return " " + std::string(name) + "=\"" + escape(value) + "\"";
}

/// What stands under the caption while its phrase is pointed at: "dog · thing · score 0.62 · box 12, 8, 30 × 28 · ...".
std::string describe(const GalleryItem& item, size_t i, std::string_view text) {
  const GalleryPhrase& phrase = item.phrases[i];
  std::string out = std::string(text) + " · " + phrase.role;
  const auto area = item.masks.area(int64_t(i));
  if (area == 0) return out + " · no mask";
  if (phrase.score) out += " · score " + number(std::round(*phrase.score * 1000) / 1000);
  const vision::Box box = item.masks.box(int64_t(i));
  out += " · box " + number(box.x) + ", " + number(box.y) + ", " + number(box.width) + " × " + number(box.height);
  const double share = double(area) / (double(item.masks.height()) * item.masks.width());
  return out + " · " + number(std::round(share * 100)) + "% of the picture";
}

/// The picture with its masks above it: stuff first, so that a pointer finds the things.
std::string picture(const GalleryItem& item) {
  const auto size = [](int extent) { return "\"" + std::to_string(extent) + "\""; };
  std::string paths;
  for (const bool things : {false, true}) {
    for (size_t i = 0; i < item.phrases.size(); ++i) {
      if ((item.phrases[i].role == "thing") != things || item.masks.area(int64_t(i)) == 0) continue;
      paths += "<path class=\"mask " + std::string(things ? "thing " : "") + colour_class(i) + "\" data-phrase=\"" +
               std::to_string(i) + "\" d=\"" +
               outline(item.masks[int64_t(i)], item.masks.height(), item.masks.width()) + "\"/>";
    }
  }
  return "<div class=\"picture\"><img" + attribute("alt", item.caption) + " width=" + size(item.image.width) +
         " height=" + size(item.image.height) +
         attribute("src", data_uri("image/png", vision::encode_png(item.image))) + ">\n<svg viewBox=\"0 0 " +
         std::to_string(item.masks.width()) + " " + std::to_string(item.masks.height()) +
         "\" aria-hidden=\"true\"><path class=\"shade\"/>" + paths + "</svg></div>\n";
}

}  // namespace

void Gallery::add(const GalleryItem& item) {
  FREEATM_CHECK(item.masks.count() == int64_t(item.phrases.size()), "{} masks for {} phrases", item.masks.count(),
                item.phrases.size());
  std::vector<size_t> order(item.phrases.size());
  std::iota(order.begin(), order.end(), size_t(0));
  std::stable_sort(order.begin(), order.end(),
                   [&](size_t a, size_t b) { return item.phrases[a].begin < item.phrases[b].begin; });

  std::string caption;
  int64_t done = 0;  // bytes of the caption
  for (size_t i : order) {
    const GalleryPhrase& phrase = item.phrases[i];
    if (phrase.begin < done || phrase.end <= phrase.begin || phrase.end > int64_t(item.caption.size())) continue;
    const std::string text = item.caption.substr(size_t(phrase.begin), size_t(phrase.end - phrase.begin));
    const bool has_mask = item.masks.area(int64_t(i)) > 0;
    caption += escape(item.caption.substr(size_t(done), size_t(phrase.begin - done)));
    caption += "<button type=\"button\" aria-pressed=\"false\" class=\"phrase " +
               (has_mask ? colour_class(i) : "unseen") + "\"" + attribute("data-phrase", std::to_string(i)) +
               attribute("data-detail", describe(item, i, text)) + ">" + escape(text) + "</button>";
    words_.insert(text);
    done = phrase.end;
  }
  caption += escape(item.caption.substr(size_t(done)));
  cards_ += "<figure class=\"card\">\n" + picture(item) + "<figcaption><p class=\"caption\">" + caption +
            "</p>\n<p class=\"detail\"" + attribute("data-rest", item.key) + " aria-live=\"polite\">" +
            escape(item.key) + "</p></figcaption>\n</figure>\n";
  ++size_;
}

std::string Gallery::html(int64_t fold) const {
  std::string words;
  for (const std::string& word : words_) words += "<option" + attribute("value", word) + ">";
  std::string views;
  for (const char* view : {"pictures", "masks", "both"}) {
    views += "<label><input type=\"radio\" name=\"view\"" + attribute("value", view) +
             (std::string_view(view) == "masks" ? " checked" : "") + "><span>" + view + "</span></label>";
  }
  return "<div class=\"gallery\" data-view=\"masks\"" + attribute("data-fold", std::to_string(fold)) +
         ">\n<form class=\"controls\">\n" +
         "<input type=\"search\" placeholder=\"filter by word\" aria-label=\"filter by word\" "
         "autocomplete=\"off\">\n<datalist>" +
         words + "</datalist>\n<fieldset aria-label=\"what to show\">" + views +
         "</fieldset>\n<output></output>\n</form>\n<div class=\"cards\">\n" + cards_ +
         "</div>\n<button type=\"button\" class=\"unfold\" hidden>show all " + std::to_string(size_) +
         "</button>\n</div>\n";
}

}  // namespace freeatm::report
