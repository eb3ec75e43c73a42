// SPDX-License-Identifier: Apache-2.0
// Named masks as a detector's objects.
#include <algorithm>
#include <mutex>
#include <set>
#include <unordered_map>
#include <utility>

#include "freeatm/core/error.h"
#include "freeatm/core/log.h"
#include "freeatm/core/utf8.h"
#include "freeatm/data/detection.h"
#include "freeatm/text/phrase.h"

#include "plain_text.h"
#include "wrapper.h"

namespace freeatm::data {
namespace {

std::string last_word(const std::string& name) {
  const std::string_view text = trimmed_text(name);
  const size_t blank = text.find_last_of(" \t");
  return lower_ascii(blank == std::string_view::npos ? text : text.substr(blank + 1));
}

/// Finds the class whose name a phrase ends in.
class NounClasses {
 public:
  explicit NounClasses(const std::vector<std::string>& names) {
    for (const std::string& name : names) names_.push_back(lower_ascii(name));
    for (const std::string& name : names_) finders_.emplace_back(text::Lexicon{.things = {name}});
  }

  /// -1: none.
  int64_t of(const std::string& name) const {
    const std::lock_guard lock(mutex_);
    const auto [known, is_new] = known_.try_emplace(name, -1);
    if (is_new) known->second = find(trimmed_text(name));
    return known->second;
  }

 private:
  int64_t find(std::string_view phrase) const {
    const auto same = std::ranges::find(names_, lower_ascii(phrase));
    if (same != names_.end()) return same - names_.begin();  // also one that is made of signs
    int64_t best = -1, begin = std::ssize(phrase);
    for (size_t i = 0; i < finders_.size(); ++i) {
      for (const text::Phrase& found : finders_[i].find(phrase, {})) {
        if (found.span.end != std::ssize(phrase) || found.span.begin >= begin) continue;
        best = static_cast<int64_t>(i), begin = found.span.begin;
      }
    }
    return best;
  }

  std::vector<std::string> names_;  // in small letters
  std::vector<text::PhraseFinder> finders_;
  mutable std::mutex mutex_;
  mutable std::unordered_map<std::string, int64_t> known_;
};

class PhraseObjects final : public Wrapper {
 public:
  PhraseObjects(std::unique_ptr<Dataset> dataset, const std::vector<std::string>& class_names)
      : Wrapper(std::move(dataset)), class_names_(class_names), classes_(class_names), was_read_(inner().size()) {}
  ~PhraseObjects() override { tell(); }

  std::vector<std::string> class_names() const override { return class_names_; }
  std::vector<int64_t> class_ids() const override { return Dataset::class_ids(); }
  bool is_multi_label() const override { return true; }

  Sample get(int64_t index, RandomStream& random) const override {
    Sample sample = inner().get(index, random);
    sample.objects.clear();
    std::set<int64_t> labels;
    std::vector<std::string> strangers;
    for (int64_t i = 0; i < std::ssize(sample.regions); ++i) {
      const Region& region = sample.regions[i];
      if (!region.is_thing()) continue;
      const int64_t category = classes_.of(region.name);
      if (category < 0) {
        strangers.push_back(region.name);
        continue;
      }
      Object object{.id = i + 1, .category = category, .box = region.mask.box(), .mask = region.mask};
      object.area = static_cast<double>(region.mask.area());
      sample.objects.push_back(std::move(object));
      labels.insert(category);
    }
    sample.labels.assign(labels.begin(), labels.end());
    count(index, std::ssize(sample.objects), strangers);
    return sample;
  }

 private:
  /// Each sample once, however often it is read.
  void count(int64_t index, int64_t objects, const std::vector<std::string>& strangers) const {
    const std::lock_guard lock(mutex_);
    if (std::exchange(was_read_[static_cast<size_t>(index)], 1) != 0) return;
    ++read_;
    objects_ += objects;
    strangers_ += std::ssize(strangers);
    if (first_stranger_.empty() && !strangers.empty()) first_stranger_ = strangers.front();
    if (read_ == size()) tell();
  }

  void tell() const {
    if (strangers_ == 0 || std::exchange(is_told_, true)) return;
    log::warning("{} of the {} things in {} pictures have names of no class and are left out, first '{}'", strangers_,
                 objects_ + strangers_, read_, first_stranger_);
  }

  std::vector<std::string> class_names_;
  NounClasses classes_;
  mutable std::mutex mutex_;
  mutable std::vector<char> was_read_;
  mutable int64_t read_ = 0, objects_ = 0, strangers_ = 0;
  mutable bool is_told_ = false;
  mutable std::string first_stranger_;
};

std::vector<std::string> nouns_of(const Dataset& dataset) {
  std::set<std::string> nouns;
  for (int64_t i = 0; i < dataset.size(); ++i) {
    RandomStream random(0, "nouns", 0, static_cast<uint64_t>(i));
    for (const Region& region : dataset.get(i, random).regions) {
      if (region.is_thing()) nouns.insert(last_word(region.name));
    }
  }
  nouns.erase("");
  if (nouns.empty()) throw UserError("", "data.root", "has no named things: there are no classes to detect");
  return {nouns.begin(), nouns.end()};
}

}  // namespace

std::unique_ptr<Dataset> with_phrase_objects(std::unique_ptr<Dataset> dataset,
                                             const std::vector<std::string>& class_names) {
  const std::vector<std::string> names = class_names.empty() ? nouns_of(*dataset) : class_names;
  return std::make_unique<PhraseObjects>(std::move(dataset), names);
}

}  // namespace freeatm::data
