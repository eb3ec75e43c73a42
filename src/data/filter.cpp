// SPDX-License-Identifier: Apache-2.0
#include "freeatm/data/filter.h"

#include <algorithm>
#include <unordered_map>
#include <utility>
#include <vector>

#include <nlohmann/json.hpp>

#include "freeatm/core/error.h"
#include "freeatm/core/json.h"
#include "freeatm/core/log.h"
#include "freeatm/data/spread.h"

#include "text_lines.h"
#include "wrapper.h"

namespace freeatm::data {
namespace {

constexpr const char* kScores = "data.filter.scores";

using Scores = std::unordered_map<std::string, double>;

std::pair<std::string, double> read_score(const TextLine& line) {
  require_shallow_json(line.text, line.where, kScores);
  try {
    const auto json = nlohmann::json::parse(line.text);
    const double score = json.at("score").get<double>();
    return {json.at("key").get<std::string>(), score};
  } catch (const nlohmann::json::exception& error) {
    throw UserError(line.where, kScores, "is no {\"key\": \"...\", \"score\": 0.5}: {}", error.what());
  }
}

Scores read_scores(const std::string& file) {
  Scores scores;
  for (const TextLine& line : read_lines(file, kScores, "score")) {
    const auto [place, is_new] = scores.insert(read_score(line));
    if (!is_new) throw UserError(line.where, kScores, "the key '{}' stands twice", place->first);
  }
  return scores;
}

class Kept final : public Listed {
 public:
  Kept(std::unique_ptr<Dataset> whole, std::vector<int64_t> places)
      : Listed(*whole, std::move(places)), owned_(std::move(whole)) {}
  std::vector<int64_t> shard_sizes() const override {
    std::vector<int64_t> sizes;
    auto first = places_.begin();
    int64_t end = 0;
    for (const int64_t size : owned_->shard_sizes()) {
      end += size;
      const auto last = std::lower_bound(first, places_.end(), end);
      if (last != first) sizes.push_back(last - first);
      first = last;
    }
    return sizes;
  }

 private:
  std::unique_ptr<Dataset> owned_;
};

std::unique_ptr<Dataset> with_scores(std::unique_ptr<Dataset> dataset, const std::string& file, double at_least) {
  const Scores scores = read_scores(file);
  std::vector<int64_t> kept;
  int64_t unknown = 0;
  for (int64_t i = 0; i < dataset->size(); ++i) {
    const auto found = scores.find(dataset->key(i));
    if (found == scores.end())
      ++unknown;
    else if (found->second >= at_least)
      kept.push_back(i);
  }
  const int64_t pictures = dataset->size(), below = pictures - unknown - std::ssize(kept);
  const std::string counts =
      format("{} of {} pictures have less than {}, {} have no score", below, pictures, at_least, unknown);
  if (kept.empty()) throw UserError(file, kScores, "no picture remains: {}", counts);
  log::info("{}: {} pictures remain; {}", file, kept.size(), counts);
  return std::make_unique<Kept>(std::move(dataset), std::move(kept));
}

class SureMasks final : public Wrapper {
 public:
  SureMasks(std::unique_ptr<Dataset> dataset, double least) : Wrapper(std::move(dataset)), least_(least) {}
  Sample get(int64_t index, RandomStream& random) const override {
    Sample sample = inner().get(index, random);
    std::erase_if(sample.regions, [&](const Region& region) { return region.score && *region.score < least_; });
    return sample;
  }

 private:
  double least_;
};

}  // namespace

void FilterOptions::fields(config::Fields& f) {
  f("scores", scores,
    "a file of lines {\"key\": ..., \"score\": ...}, as evaluate task=prompt_recall and refereed_masks write them; "
    "null: all pictures");
  f("at_least", at_least, "pictures whose score is less, and those that have none, are left out");
  f("mask_score", mask_score, "found masks whose score is less are left out, their pictures stay; null: none");
  if (f.reading() && !scores && at_least != FilterOptions().at_least)
    f.refuse("at_least", "says which scores are enough: it needs data.filter.scores");
}

std::unique_ptr<Dataset> filtered(std::unique_ptr<Dataset> dataset, const FilterOptions& options) {
  if (options.scores) dataset = with_scores(std::move(dataset), *options.scores, options.at_least);
  if (options.mask_score) dataset = std::make_unique<SureMasks>(std::move(dataset), *options.mask_score);
  return dataset;
}

}  // namespace freeatm::data
