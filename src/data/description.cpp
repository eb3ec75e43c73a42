// SPDX-License-Identifier: Apache-2.0
#include "freeatm/data/description.h"

#include <algorithm>
#include <atomic>

#include <nlohmann/json.hpp>

#include "freeatm/core/error.h"
#include "freeatm/core/json.h"
#include "freeatm/core/log.h"
#include "freeatm/core/python_json.h"

#include "mask_size.h"
#include "plain_text.h"

namespace freeatm::data {
namespace {

using OrderedJson = nlohmann::ordered_json;

class DescriptionReader {
 public:
  ///   problems: where what is wrong is noted; none: it is thrown
  DescriptionReader(const std::string& name, int height, int width, std::vector<std::string>* problems)
      : name_(name), height_(height), width_(width), problems_(problems) {}

  Description read(const std::string& bytes) {
    attempt([&] {
      require_shallow_json(bytes, name_);
      const auto json = OrderedJson::parse(without_infinities(bytes));
      if (!json.is_object()) throw UserError(name_, "", "is no object");
      const OrderedJson caption = json.value("caption", OrderedJson()), phrases = json.value("phrases", OrderedJson());
      if (caption.is_string())
        description_.caption = one_line(caption);
      else if (!caption.is_null())
        warn_of_foreign("caption");
      if (problems_) read_for_the_eye(json);
      description_.has_phrases = json.contains("phrases") && is_ours(phrases);
      if (json.contains("phrases") && !description_.has_phrases) warn_of_foreign("phrases");
      if (!description_.has_phrases) return;
      for (const auto& phrase : phrases) read_phrase(phrase);
    });
    return std::move(description_);
  }

 private:
  template <class Read>
  void attempt(const Read& read) {
    try {
      read();
    } catch (const UserError& error) {
      if (!problems_) throw;
      problems_->push_back(error.what());
    } catch (const nlohmann::json::exception& error) {
      const UserError problem(name_, "", "is not a sample's json: {}", error.what());
      if (!problems_) throw problem;
      problems_->push_back(problem.what());
    }
  }

  /// Other programs' jsons have a key of that name, too: a list of texts, of boxes, ...
  static bool is_ours(const OrderedJson& phrases) {
    const auto has_place = [](const OrderedJson& phrase) {
      return phrase.is_object() && (phrase.contains("span") || phrase.contains("segmentation"));
    };
    return phrases.is_array() && (phrases.empty() || std::ranges::any_of(phrases, has_place));
  }

  /// Nobody may need it: who does says so.
  void warn_of_foreign(const char* key) const {
    if (problems_) {
      problems_->push_back(format("{}: its '{}' are of another kind than a harvest's", name_, key));
      return;
    }
    static std::atomic_flag has_warned;
    if (!has_warned.test_and_set())
      log::warning("{}: its '{}' are of another kind than a harvest's and are passed over (said once)", name_, key);
  }

  static text::Span span_of(const OrderedJson& json) {
    return {whole_number(json.at("span").at(0)), whole_number(json.at("span").at(1))};
  }

  vision::Rle read_mask(const OrderedJson& json, const std::string& phrase) const {
    require_size(json, height_, width_, name_, phrase);
    return vision::Rle::from_counts(json.at("counts").get<std::string>(), height_, width_, name_ + ": " + phrase);
  }

  void read_phrase(const OrderedJson& json) {
    DescribedPhrase described;
    text::Phrase& phrase = described.phrase;
    phrase = {json.at("text"), text::role_from_name(json.at("role").get<std::string>()), span_of(json),
              whole_numbers(json.value("tokens", OrderedJson::array()))};
    const OrderedJson score = json.value("score", OrderedJson());  // null: Python's NaN
    if (!score.is_null() && (!problems_ || score.is_number())) described.score = score.get<double>();
    const bool is_shown = json.contains("segmentation") && height_ > 0;
    if (!problems_ || is_shown) attempt([&] { described.mask = read_mask(json.at("segmentation"), phrase.text); });
    if (!problems_ && json.contains("exact")) described.exact = read_mask(json.at("exact"), phrase.text);
    description_.phrases.push_back(std::move(described));
  }

  void read_for_the_eye(const OrderedJson& json) {
    for (const auto& token : json.value("tokens", OrderedJson::array()))
      description_.tokens.push_back({token.at("text"), span_of(token)});
    for (const auto& [name, value] : json.items()) {  // and one level below: "sampler": {"steps": 25}
      if (name != "caption") add_fact(name, value);
      if (!value.is_object()) continue;
      for (const auto& [inner_name, inner] : value.items()) add_fact(inner_name, inner);
    }
  }

  void add_fact(std::string name, const OrderedJson& value) {
    std::ranges::replace(name, '_', ' ');
    auto& facts = description_.facts;
    if (value.is_string()) facts.emplace_back(name, value.get<std::string>());
    if (value.is_number_float()) facts.emplace_back(name, format("{}", value.get<double>()));
    if (value.is_number_integer() || value.is_boolean()) facts.emplace_back(name, value.dump());
  }

  const std::string& name_;
  int height_, width_;
  std::vector<std::string>* problems_;
  Description description_;
};

}  // namespace

Description read_description(const std::string& bytes, const std::string& name, int height, int width) {
  return DescriptionReader(name, height, width, nullptr).read(bytes);
}

Description read_description_noting(const std::string& bytes, const std::string& name, int height, int width,
                                    std::vector<std::string>& problems) {
  return DescriptionReader(name, height, width, &problems).read(bytes);
}

}  // namespace freeatm::data
