// SPDX-License-Identifier: Apache-2.0
#include "freeatm/report/gallery.h"

#include <cmath>

#include <nlohmann/json.hpp>

#include "freeatm/core/error.h"
#include "freeatm/report/html.h"

namespace freeatm::report {
namespace {

using Json = nlohmann::ordered_json;

/// JSON that may stand in a script element: "<" would end it, or begin a comment. Bytes that are not UTF-8 become
/// replacement characters.
std::string script_json(const Json& json) {
  std::string out;
  for (char c : json.dump(-1, ' ', false, Json::error_handler_t::replace)) {
    if (c == '<') {
      out += "\\u003c";
    } else {
      out += c;
    }
  }
  return out;
}

/// Of more digits than a page shows; what is too large for that stays as it is.
double rounded(double value) { return std::abs(value) < 1e12 ? std::round(value * 1e4) / 1e4 : value; }

/// What filters, sorts and captions need of a phrase.
Json index_entry(const GalleryPhrase& phrase) {
  Json entry{{"text", phrase.text}, {"role", phrase.role}, {"span", {phrase.begin, phrase.end}}};
  if (phrase.score && std::isfinite(*phrase.score)) entry["score"] = rounded(*phrase.score);
  if (!phrase.tokens.empty()) entry["tokens"] = phrase.tokens;
  if (!phrase.mask || phrase.mask->area() == 0) return entry;
  const vision::Box box = phrase.mask->box();
  entry["box"] = {box.x, box.y, box.width, box.height};
  entry["share"] = rounded(double(phrase.mask->area()) / (double(phrase.mask->height) * phrase.mask->width));
  return entry;
}

Json index_entry(const GalleryItem& item) {
  Json entry{{"key", item.key}, {"caption", item.caption}, {"phrases", Json::array()}};
  if (!item.source.empty()) entry["source"] = item.source;
  if (!item.problems.empty()) entry["problems"] = item.problems;
  for (const GalleryPhrase& phrase : item.phrases) entry["phrases"].push_back(index_entry(phrase));
  return entry;
}

Json maps_entry(const SoftMaps& maps) {
  Json low = Json::array(), high = Json::array();
  for (double value : maps.low) low.push_back(float(value));
  for (double value : maps.high) high.push_back(float(value));
  return {{"size", {maps.height, maps.width}}, {"low", low}, {"high", high}, {"bytes", base64(maps.bytes)}};
}

Json block(const GalleryItem& item) {
  Json json = Json::object();
  if (!item.picture.empty()) json["picture"] = data_uri(item.picture_type, item.picture);
  json["masks"] = Json::array();
  for (const GalleryPhrase& phrase : item.phrases) {
    if (phrase.mask && phrase.mask->area() > 0) {
      json["masks"].push_back({{"size", {phrase.mask->height, phrase.mask->width}}, {"counts", phrase.mask->counts()}});
    } else {
      json["masks"].push_back(nullptr);
    }
  }
  json["tokens"] = Json::array();
  for (const GalleryToken& token : item.tokens) json["tokens"].push_back({token.text, token.begin, token.end});
  if (!item.maps.bytes.empty()) json["maps"] = maps_entry(item.maps);
  json["facts"] = Json::array();
  for (const auto& [name, value] : item.facts) json["facts"].push_back({name, value});
  return json;
}

/// A group of radio buttons that looks like one switch.
std::string choice(const std::string& name, const std::vector<std::pair<std::string, std::string>>& options,
                   const std::string& checked) {
  std::string out;
  for (const auto& [value, label] : options) {
    out += "<label><input type=\"radio\" name=\"" + name + "\" value=\"" + value + "\"" +
           (value == checked ? " checked" : "") + "><span>" + label + "</span></label>";
  }
  return "<fieldset class=\"choice\" aria-label=\"" + name + "\">" + out + "</fieldset>\n";
}

}  // namespace

void CommonFacts::add(const GalleryItem& item) {
  for (const auto& [name, value] : item.facts) {
    if (!values_.contains(name)) order_.push_back(name);
    if (values_[name].size() < 2) values_[name].insert(value);
  }
  ++items_;
}

std::string CommonFacts::text() const {
  std::string out;
  for (const std::string& name : order_) {
    const auto& values = values_.at(name);
    if (values.size() == 1 && items_ > 1) out += " · " + name + " " + *values.begin();
  }
  return out;
}

void Gallery::add(const GalleryItem& item) {
  FREEATM_CHECK(item.maps.low.size() == item.maps.high.size() &&
                    item.maps.bytes.size() == item.maps.low.size() * size_t(item.maps.height * item.maps.width),
                "{} bytes for {} maps of {}x{}", item.maps.bytes.size(), item.maps.low.size(), item.maps.height,
                item.maps.width);
  index_ += (size_ == 0 ? "" : ",\n") + script_json(index_entry(item));
  data_ += "<script type=\"application/json\" id=\"sample-" + std::to_string(size_) + "\">" + script_json(block(item)) +
           "</script>\n";
  ++size_;
}

std::string Gallery::html(const std::string& sort) const {
  std::string sorts;
  for (const auto& [value, label] :
       {std::pair("index", "by key"), {"highest", "highest score first"}, {"lowest", "lowest score first"}}) {
    sorts +=
        "<option value=\"" + std::string(value) + "\"" + (value == sort ? " selected" : "") + ">" + label + "</option>";
  }
  return "<div class=\"gallery\">\n<form class=\"controls\" aria-label=\"what is shown\">\n"
         "<input type=\"search\" name=\"words\" placeholder=\"phrase\" aria-label=\"phrase\" list=\"phrases\" "
         "autocomplete=\"off\" spellcheck=\"false\"><datalist id=\"phrases\"></datalist>\n"
         "<fieldset class=\"scores\" aria-label=\"score\"><div class=\"bars\" aria-hidden=\"true\"></div>"
         "<input type=\"range\" name=\"least\" min=\"0\" max=\"1\" step=\"0.01\" value=\"0\" aria-label=\"least "
         "score\">"
         "<input type=\"range\" name=\"most\" min=\"0\" max=\"1\" step=\"0.01\" value=\"1\" aria-label=\"greatest "
         "score\">"
         "<output></output></fieldset>\n" +
         choice("view", {{"picture", "Pictures"}, {"masks", "Masks"}, {"maps", "Soft maps"}}, "masks") +
         "<select name=\"sort\" aria-label=\"order\">" + sorts + "</select>\n" +
         "<input type=\"range\" name=\"side\" min=\"96\" max=\"384\" step=\"16\" value=\"176\" aria-label=\"size of "
         "the "
         "pictures\" title=\"size of the pictures\">\n"
         "<button type=\"button\" class=\"quiet\" name=\"help\" aria-label=\"keys\" "
         "title=\"keys\">?</button>\n</form>\n"
         "<p class=\"status\"><output name=\"status\" aria-live=\"polite\"></output></p>\n"
         "<details class=\"words\"><summary>All phrases</summary><ul></ul></details>\n"
         "<div class=\"cards\" role=\"list\" aria-label=\"pictures\" tabindex=\"-1\"></div>\n<dialog class=\"large\" "
         "aria-label=\"picture\"></dialog>\n"
         "<dialog class=\"help\" aria-label=\"keys\"></dialog>\n"
         "<script type=\"application/json\" id=\"samples\">[" +
         index_ + "]</script>\n</div>\n";
}

}  // namespace freeatm::report
