// SPDX-License-Identifier: Apache-2.0
// task=retrieval
#include <algorithm>
#include <map>
#include <utility>

#include <ATen/ATen.h>

#include "freeatm/core/error.h"
#include "freeatm/core/log.h"
#include "freeatm/core/random.h"
#include "freeatm/core/signals.h"
#include "freeatm/data/spread.h"
#include "freeatm/evaluation/pair.h"
#include "freeatm/evaluation/retrieval.h"
#include "freeatm/runtime/ranks.h"

namespace freeatm::evaluation {
namespace {

using at::Tensor;

constexpr int64_t kQueries = 8, kFound = 5;  // examples: of each way, and what is found of each
constexpr int64_t kBlock = 256;              // rows of scores at once: 25,000 columns take 25 MB

/// Of rows against all columns, in blocks: their places, and the best k columns.
struct Found {
  Tensor ranks, best;  // [Q], [Q, k]
};
template <class Fits>
Found find(const Tensor& queries, const Tensor& keys, int64_t k, const Fits& fits) {
  std::vector<Tensor> ranks, best;
  for (int64_t first = 0; first < queries.size(0); first += kBlock) {
    stop_if_signalled();
    const int64_t count = std::min(kBlock, queries.size(0) - first);
    const Tensor scores = queries.narrow(0, first, count).mm(keys.t()).cpu();
    ranks.push_back(ranks_of(scores, fits(first, count)));
    if (k > 0) best.push_back(std::get<1>(scores.topk(k, 1)));
  }
  return {at::cat(ranks), k > 0 ? at::cat(best) : Tensor()};
}

/// fits[row][columns[row]], in blocks.
template <class Fits>
Tensor fits_of(const Tensor& columns, const Fits& fits) {
  std::vector<Tensor> out;
  for (int64_t first = 0; first < columns.size(0); first += kBlock) {
    const int64_t count = std::min(kBlock, columns.size(0) - first);
    out.push_back(fits(first, count).gather(1, columns.narrow(0, first, count)));
  }
  return at::cat(out);
}

/// Where the score of a picture with a text is wanted.
using Places = std::map<int64_t, std::vector<float*>>;  // text -> places, of one picture

/// The candidates of both ways, and their scores by the fusion layers: each pair is scored once.
class Candidates {
 public:
  Candidates(const Tensor& texts_of_pictures, const Tensor& pictures_of_texts)
      : of_pictures{texts_of_pictures, at::zeros(texts_of_pictures.sizes())},
        of_texts{pictures_of_texts, at::zeros(pictures_of_texts.sizes())},
        places_(texts_of_pictures.size(0)) {
    for (int64_t picture = 0; picture < of_pictures.columns.size(0); ++picture) {
      for (int64_t i = 0; i < of_pictures.columns.size(1); ++i)
        places_[picture][of_pictures.columns[picture][i].item<int64_t>()].push_back(score(of_pictures, picture, i));
    }
    for (int64_t text = 0; text < of_texts.columns.size(0); ++text) {
      for (int64_t i = 0; i < of_texts.columns.size(1); ++i)
        places_[of_texts.columns[text][i].item<int64_t>()][text].push_back(score(of_texts, text, i));
    }
  }

  /// Scores all pairs of one picture. image_tokens: [1, M, channels]
  void judge(FrozenPair& pair, const TextBank& bank, int64_t picture, const Tensor& image_tokens) {
    std::vector<int64_t> texts;
    for (const auto& [text, places] : places_[picture]) texts.push_back(text);
    for (size_t first = 0; first < texts.size(); first += pair.batch_size()) {
      const auto end = std::min(texts.size(), first + pair.batch_size());
      const std::vector<int64_t> batch(texts.begin() + first, texts.begin() + end);
      const TextBank::Rows rows = bank.rows(batch);
      const Tensor one_picture = at::zeros({std::ssize(batch)}, image_tokens.options().dtype(at::kLong));
      const Tensor scores = pair.itm(rows.tokens, rows.mask, {image_tokens, one_picture}).cpu();
      for (size_t i = 0; i < batch.size(); ++i) {
        for (float* place : places_[picture][batch[i]]) *place = scores[static_cast<int64_t>(i)].item<float>();
      }
    }
  }

  Reranked of_pictures, of_texts;

 private:
  static float* score(Reranked& of, int64_t row, int64_t i) {
    return of.scores.data_ptr<float>() + row * of.scores.size(1) + i;
  }
  std::vector<Places> places_;
};

class RetrievalTask final : public PairTask {
 public:
  void fields(config::Fields& f) override { f.group("retrieval", options_); }

  Metrics measure(FrozenPair& pair, const data::Dataset& pictures, std::optional<int64_t> limit,
                  const std::string& label, Examples* examples) const override {
    const at::NoGradGuard no_grad;
    CaptionMatches matches(options_.equally_fitting);
    const Tensor images = image_embeddings(pair, pictures, limit, label, matches);
    const bool reranks = options_.rerank > 0 && pair.fuses();
    const TextBank bank = pair.text_bank(matches.texts(), reranks, label + ", texts");
    const auto texts_fit = [&](int64_t first, int64_t count) { return matches.of_pictures(first, count); };
    const auto pictures_fit = [&](int64_t first, int64_t count) { return matches.of_texts(first, count); };
    const int64_t texts = std::ssize(matches.texts());
    const auto candidates_of = [&](int64_t all) { return reranks ? std::min(options_.rerank, all) : 0; };
    const Found to_texts = find(images, bank.embeddings, candidates_of(texts), texts_fit);
    const Found to_pictures = find(bank.embeddings, images, candidates_of(matches.pictures()), pictures_fit);

    Metrics metrics = recalls(to_texts.ranks, to_pictures.ranks, "");
    if (reranks) {
      Candidates candidates(to_texts.best, to_pictures.best);
      judge_again(pair, pictures, limit, label + ", candidates", bank, matches, candidates);
      const Tensor there = reranked(to_texts.ranks, candidates.of_pictures, fits_of(to_texts.best, texts_fit));
      const Tensor back = reranked(to_pictures.ranks, candidates.of_texts, fits_of(to_pictures.best, pictures_fit));
      for (const Metric& row : recalls(there, back, "reranked_")) metrics.push_back(row);
    }
    if (examples != nullptr) show(pair, pictures, limit, images, bank, matches, *examples);
    metrics.push_back({"pictures", static_cast<double>(matches.pictures())});
    metrics.push_back({"captions", static_cast<double>(texts)});
    metrics.push_back({"fitting_captions_per_picture",
                       static_cast<double>(fitting(matches)) / static_cast<double>(matches.pictures())});
    return metrics;
  }

 private:
  /// Of the pictures that have captions, which are added to `matches`.
  static Tensor image_embeddings(FrozenPair& pair, const data::Dataset& pictures, std::optional<int64_t> limit,
                                 const std::string& label, CaptionMatches& matches) {
    std::vector<Tensor> embeddings{at::empty({0, pair.model().options().dimensions}, at::device(pair.device()))};
    for_each_images(pair, pictures, limit, label, [&](const data::Batch& batch, const auto& images) {
      for (int64_t i = 0; i < batch.size; ++i) {
        if (batch.samples[i].captions.empty()) continue;
        matches.add(batch.samples[i], batch["index"][i].item<int64_t>());
        embeddings.push_back(images.embedding.narrow(0, i, 1).to(at::kFloat));
      }
    });
    matches.gather_ranks();
    if (matches.pictures() == 0) throw UserError("", "data.root", "no picture has a caption");
    const int64_t left_out = data::Spread(pictures, limit).size() - matches.pictures();
    if (left_out > 0) log::warning("{}: {} pictures have no caption and are left out", label, left_out);
    return runtime::ranks().gather_rows(at::cat(embeddings));
  }

  static void judge_again(FrozenPair& pair, const data::Dataset& pictures, std::optional<int64_t> limit,
                          const std::string& label, const TextBank& bank, const CaptionMatches& matches,
                          Candidates& candidates) {
    for_each_images(pair, pictures, limit, label, [&](const data::Batch& batch, const auto& images) {
      for (int64_t i = 0; i < batch.size; ++i) {
        const auto picture = matches.picture_of(batch["index"][i].item<int64_t>());
        if (picture) candidates.judge(pair, bank, *picture, images.tokens.narrow(0, i, 1));
      }
    });
    runtime::ranks().sum(candidates.of_pictures.scores);  // each by the rank that has the picture, 0 elsewhere
    runtime::ranks().sum(candidates.of_texts.scores);
  }

  Metrics recalls(const Tensor& to_texts, const Tensor& to_pictures, const std::string& prefix) const {
    Metrics metrics;
    double sum = 0;
    for (const auto& [way, ranks] : {std::pair("image_to_text", to_texts), {"text_to_image", to_pictures}}) {
      for (const int64_t k : options_.at) {
        metrics.push_back({format("{}{}_recall_at_{}", prefix, way, k), recall_at(ranks, k)});
        sum += metrics.back().value;
      }
    }
    metrics.push_back({prefix + "mean_recall", sum / static_cast<double>(metrics.size())});
    return metrics;
  }

  /// Some queries of both ways with their best five, before anything is ordered anew.
  static void show(FrozenPair& pair, const data::Dataset& pictures, std::optional<int64_t> limit, const Tensor& images,
                   const TextBank& bank, const CaptionMatches& matches, Examples& examples) {
    const data::Spread chosen(pictures, limit);
    RandomStream unused(0, "examples");
    const auto picture_of = [&](int64_t i) { return pair.picture(chosen.get(matches.sample_of(i), unused).image); };
    const auto best_of = [](const Tensor& query, const Tensor& keys) {
      return std::get<1>(keys.mv(query).cpu().topk(std::min(kFound, keys.size(0))));
    };
    const int64_t all = matches.pictures();
    for (int64_t i = 0; i < std::min(kQueries, all); ++i) {
      const int64_t picture = i * all / std::min(kQueries, all);
      std::vector<Examples::Cell> cells{{picture_of(picture), "", {}}};
      const Tensor best = best_of(images[picture], bank.embeddings), fits = matches.of_pictures(picture, 1)[0];
      for (int64_t j = 0; j < best.size(0); ++j) {
        const int64_t text = best[j].item<int64_t>();
        cells.push_back({{}, matches.texts()[text], fits[text].item<bool>()});
      }
      examples.add("the captions that a picture finds", std::move(cells));
    }
    const int64_t texts = std::ssize(matches.texts());
    for (int64_t i = 0; i < std::min(kQueries, texts); ++i) {
      const int64_t text = i * texts / std::min(kQueries, texts);
      std::vector<Examples::Cell> cells;
      const Tensor best = best_of(bank.embeddings[text], images), fits = matches.of_texts(text, 1)[0];
      for (int64_t j = 0; j < best.size(0); ++j) {
        const int64_t picture = best[j].item<int64_t>();
        cells.push_back({picture_of(picture), matches.caption_of(picture), fits[picture].item<bool>()});
      }
      examples.add("the pictures that a caption finds: " + matches.texts()[text], std::move(cells));
    }
  }

  static int64_t fitting(const CaptionMatches& matches) {
    int64_t sum = 0;
    for (int64_t first = 0; first < matches.pictures(); first += kBlock)
      sum += matches.of_pictures(first, std::min(kBlock, matches.pictures() - first)).sum().item<int64_t>();
    return sum;
  }

  RetrievalOptions options_;
};

}  // namespace

std::unique_ptr<PairTask> retrieval_task() { return std::make_unique<RetrievalTask>(); }

}  // namespace freeatm::evaluation
