// SPDX-License-Identifier: Apache-2.0
// task=relations: the true caption against one with its relation, or its attributes, wrong.
#include <algorithm>
#include <iterator>
#include <utility>

#include <ATen/ATen.h>

#include "freeatm/core/error.h"
#include "freeatm/evaluation/pair.h"
#include "freeatm/runtime/ranks.h"
#include "freeatm/text/caption_edits.h"

#include "rank_states.h"

namespace freeatm::evaluation {
namespace {

using at::Tensor;

/// How often the true caption scored higher; equal scores are half a time.
struct RelationTally {
  double right = 0, all = 0;
  void add(double score_of_true, double score_of_wrong) {
    right += score_of_true > score_of_wrong ? 1 : score_of_true == score_of_wrong ? 0.5 : 0;
    ++all;
  }
  void sum_ranks() {
    const Tensor sums = at::tensor({right, all}, at::kDouble);
    runtime::ranks().sum(sums);
    right = sums[0].item<double>(), all = sums[1].item<double>();
  }
};

/// A picture's caption and a wrong one: texts 2 i and 2 i + 1 of all.
struct WrongCaption {
  int64_t picture = 0;  // of those that are judged
  bool of_attributes = false;
};

struct WrongCaptions {
  std::vector<std::string> texts;
  std::vector<WrongCaption> asked;

  void bytes(StateBytes& b) { b(texts), b(asked); }

  /// Those of all ranks, in their order.
  void gather_ranks() {
    WrongCaptions all;
    for (WrongCaptions& part : of_each_rank(*this)) {
      std::ranges::move(part.texts, std::back_inserter(all.texts));
      std::ranges::copy(part.asked, std::back_inserter(all.asked));
    }
    *this = std::move(all);
  }

  void add(const data::Sample& sample, int64_t picture) {
    for (const text::Caption& caption : sample.captions) {
      const std::optional<text::Caption> wrong[] = {text::with_relation_turned(caption),
                                                    text::with_attributes_swapped(caption)};
      for (int kind = 0; kind < 2; ++kind) {
        if (!wrong[kind]) continue;
        texts.push_back(caption.text);
        texts.push_back(wrong[kind]->text);
        asked.push_back({picture, kind == 1});
      }
    }
  }
};

class RelationsTask final : public PairTask {
 public:
  void fields(config::Fields& /*f*/) override {}

  Metrics measure(FrozenPair& pair, const data::Dataset& pictures, std::optional<int64_t> limit,
                  const std::string& label, Examples* /*examples*/) const override {
    const at::NoGradGuard no_grad;
    WrongCaptions questions;
    std::vector<Tensor> own{at::empty({0, pair.model().options().dimensions}, at::device(pair.device()))};
    for_each_images(pair, pictures, limit, label, [&](const data::Batch& batch, const auto& images) {
      for (int64_t i = 0; i < batch.size; ++i)
        questions.add(batch.samples[i], batch["index"][i].template item<int64_t>());
      own.push_back(images.embedding.to(at::kFloat));
    });
    questions.gather_ranks();
    const Tensor embeddings = runtime::ranks().gather_rows(at::cat(own));  // [pictures, dimensions]
    if (questions.asked.empty()) {
      throw UserError("", "data.root",
                      "no caption says how two things lie to each other, or has a word for a size or "
                      "colours, of which something wrong could be made");
    }
    const TextBank bank = pair.text_bank(questions.texts, pair.fuses(), label + ", texts");
    RelationTally by_itc[2], by_itm[2];
    for (int64_t i = 0; i < std::ssize(questions.asked); ++i) {
      const WrongCaption& one = questions.asked[i];
      const Tensor scores = bank.embeddings.narrow(0, 2 * i, 2).mv(embeddings[one.picture]);
      by_itc[one.of_attributes].add(scores[0].item<double>(), scores[1].item<double>());
    }
    if (pair.fuses()) judge_matching(pair, pictures, limit, label + ", matching", questions, bank, by_itm);
    Metrics metrics;
    for (const auto& [name, kind] : {std::pair("relation", 0), {"attribute", 1}}) {
      if (by_itc[kind].all == 0) continue;
      metrics.push_back({format("{}_accuracy", name), by_itc[kind].right / by_itc[kind].all});
      if (pair.fuses()) metrics.push_back({format("{}_accuracy_itm", name), by_itm[kind].right / by_itm[kind].all});
      metrics.push_back({format("{}_captions", name), by_itc[kind].all});
    }
    metrics.push_back({"chance", 0.5});
    return metrics;
  }

 private:
  static void judge_matching(FrozenPair& pair, const data::Dataset& pictures, std::optional<int64_t> limit,
                             const std::string& label, const WrongCaptions& questions, const TextBank& bank,
                             RelationTally (&tallies)[2]) {
    const auto question_of = [&](int64_t picture) {  // the first
      return std::ranges::lower_bound(questions.asked, picture, {}, &WrongCaption::picture) - questions.asked.begin();
    };
    for_each_images(pair, pictures, limit, label, [&](const data::Batch& batch, const auto& images) {
      const int64_t first = batch["index"][0].template item<int64_t>();
      const int64_t begin = question_of(first), end = question_of(first + batch.size);
      if (begin == end) return;
      std::vector<int64_t> texts, own;
      for (int64_t i = begin; i < end; ++i) {
        texts.insert(texts.end(), {2 * i, 2 * i + 1});
        own.insert(own.end(), 2, questions.asked[i].picture - first);
      }
      const TextBank::Rows rows = bank.rows(texts);
      const Tensor of = at::tensor(own, at::kLong).to(pair.device());
      const Tensor scores = pair.itm(rows.tokens, rows.mask, {images.tokens, of}).cpu();
      for (int64_t i = begin; i < end; ++i) {
        const int64_t row = 2 * (i - begin);
        tallies[questions.asked[i].of_attributes].add(scores[row].item<double>(), scores[row + 1].item<double>());
      }
    });
    for (RelationTally& tally : tallies) tally.sum_ranks();
  }
};

}  // namespace

std::unique_ptr<PairTask> relations_task() { return std::make_unique<RelationsTask>(); }

}  // namespace freeatm::evaluation
