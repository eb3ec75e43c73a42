// SPDX-License-Identifier: Apache-2.0
// Which captions a picture finds, and which pictures a caption.
#pragma once
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include <ATen/core/Tensor.h>

#include "freeatm/config/fields.h"
#include "freeatm/core/state_bytes.h"
#include "freeatm/data/sample.h"
#include "freeatm/evaluation/metrics.h"

namespace freeatm::evaluation {

/// Which of the captions fit which of the pictures: their own, and those that may fit as well (text::may_both_fit)
/// where whoever wrote the captions said what their phrases are.
class CaptionMatches {
 public:
  ///   equally_fitting: false: a picture's own captions alone, as COCO's benchmarks count
  explicit CaptionMatches(bool equally_fitting = true) : equally_fitting_(equally_fitting) {}
  ///   sample: its place in the dataset; they rise
  void add(const data::Sample& picture, int64_t sample);
  /// Those that all runtime::ranks() have added, in their order.
  void gather_ranks();

  int64_t pictures() const { return std::ssize(samples_); }
  int64_t sample_of(int64_t picture) const { return samples_[picture]; }
  /// None where it was not added.
  std::optional<int64_t> picture_of(int64_t sample) const;
  /// The first of its own.
  const std::string& caption_of(int64_t picture) const { return texts_[first_text_[picture]]; }
  const std::vector<std::string>& texts() const { return texts_; }
  /// Of pictures [first, first + count): [count, texts] bool.
  at::Tensor of_pictures(int64_t first, int64_t count) const;
  /// Of texts [first, first + count): [count, pictures] bool.
  at::Tensor of_texts(int64_t first, int64_t count) const;

  /// For StateBytes.
  void bytes(StateBytes& b);

 private:
  /// Behind these.
  void append(const CaptionMatches& more);
  void stack() const;
  bool equally_fitting_, has_claims_ = false;
  std::vector<int64_t> samples_;  // [pictures]
  std::vector<std::string> texts_;
  std::vector<int64_t> picture_of_, first_text_{0};  // first_text: [pictures + 1]
  std::vector<int64_t> claims_;                      // rows of data::claims_row, one a text
  mutable at::Tensor rows_, owners_;                 // of all
};

/// Of each row the place of the best column that fits among those that do not: 0 is a hit at 1. Of equal scores those
/// that do not fit come first: a model that says the same of all finds nothing.
///   scores: [Q, K]; fits: [Q, K] bool. Returns [Q] int64; K where nothing fits.
at::Tensor ranks_of(const at::Tensor& scores, const at::Tensor& fits);

/// The columns that are judged again, and their new scores: [Q, k].
struct Reranked {
  at::Tensor columns, scores;
};
/// The places when the best k columns are ordered by their new scores and stay in front of all others.
///   ranks: by `ranks_of`; fits: [Q, k] bool, of the columns
at::Tensor reranked(const at::Tensor& ranks, const Reranked& again, const at::Tensor& fits);

/// R@k: share of rows with a rank below k.
double recall_at(const at::Tensor& ranks, int64_t k);

struct RetrievalOptions {
  std::vector<int64_t> at = {1, 5, 10};
  bool equally_fitting = true;
  int64_t rerank = 16;  // candidates, by the fusion layers where there are some; 0: none
  void fields(config::Fields& f);
};

}  // namespace freeatm::evaluation
