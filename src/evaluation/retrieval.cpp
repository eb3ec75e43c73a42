// SPDX-License-Identifier: Apache-2.0
#include "freeatm/evaluation/retrieval.h"

#include <algorithm>
#include <iterator>
#include <limits>
#include <utility>

#include <ATen/ATen.h>

#include "freeatm/core/error.h"
#include "freeatm/core/random.h"
#include "freeatm/data/matches.h"

#include "rank_states.h"

namespace freeatm::evaluation {
namespace {

using at::Tensor;

constexpr float kMinusInfinity = -std::numeric_limits<float>::infinity();

}  // namespace

void RetrievalOptions::fields(config::Fields& f) {
  f("at", at, "R@k: a hit is a fitting one among the first k", config::at_least(1));
  f("equally_fitting", equally_fitting,
    "where captions say what their phrases are, others with the same things and no contradiction are right, too");
  f("rerank", rerank, "so many candidates are ordered anew by the fusion layers, where the model has some; 0: none",
    config::at_least(0));
}

void CaptionMatches::add(const data::Sample& picture, int64_t sample) {
  const std::string name = format("{} {}", sample, picture.key);
  for (size_t i = 0; i < picture.captions.size(); ++i) {
    const text::Caption& caption = picture.captions[i];
    text::Claims claims{};
    if (equally_fitting_ && caption.is_annotated) {
      claims = text::claims_of(caption);
      has_claims_ = true;
    } else {  // equal to no other
      claims[0] = static_cast<int64_t>(stable_hash(format("{} of {}", i, name)) >> 1);
    }
    texts_.push_back(caption.text);
    picture_of_.push_back(pictures());
    const Tensor row = data::claims_row(claims, name);
    claims_.insert(claims_.end(), row.const_data_ptr<int64_t>(), row.const_data_ptr<int64_t>() + row.numel());
  }
  samples_.push_back(sample);
  first_text_.push_back(std::ssize(texts_));
  rows_ = Tensor();
}

void CaptionMatches::bytes(StateBytes& b) {
  b(has_claims_), b(samples_), b(texts_), b(picture_of_), b(first_text_), b(claims_);
}

void CaptionMatches::append(const CaptionMatches& more) {
  const int64_t pictures_before = pictures(), texts_before = std::ssize(texts_);
  has_claims_ |= more.has_claims_;
  std::ranges::copy(more.samples_, std::back_inserter(samples_));
  std::ranges::copy(more.texts_, std::back_inserter(texts_));
  std::ranges::copy(more.claims_, std::back_inserter(claims_));
  for (const int64_t picture : more.picture_of_) picture_of_.push_back(pictures_before + picture);
  for (size_t i = 1; i < more.first_text_.size(); ++i) first_text_.push_back(texts_before + more.first_text_[i]);
  rows_ = Tensor();
}

void CaptionMatches::gather_ranks() {
  CaptionMatches all(equally_fitting_);
  for (const CaptionMatches& part : of_each_rank(*this)) all.append(part);
  *this = std::move(all);
}

std::optional<int64_t> CaptionMatches::picture_of(int64_t sample) const {
  const auto found = std::ranges::lower_bound(samples_, sample);
  if (found == samples_.end() || *found != sample) return std::nullopt;
  return found - samples_.begin();
}

void CaptionMatches::stack() const {
  if (rows_.defined()) return;
  rows_ = at::tensor(claims_, at::kLong).view({std::ssize(texts_), -1});
  owners_ = at::tensor(picture_of_, at::kLong);
}

Tensor CaptionMatches::of_pictures(int64_t first, int64_t count) const {
  stack();
  if (!has_claims_) return at::arange(first, first + count).unsqueeze(1) == owners_.unsqueeze(0);
  const int64_t begin = first_text_[first], own = first_text_[first + count] - begin;
  const Tensor fit = data::matches_of(rows_.narrow(0, begin, own), rows_);  // [own captions, texts]
  return at::zeros({count, std::ssize(texts_)})
      .index_add_(0, owners_.narrow(0, begin, own) - first, fit.to(at::kFloat))
      .gt(0);
}

Tensor CaptionMatches::of_texts(int64_t first, int64_t count) const {
  stack();
  if (!has_claims_) return owners_.narrow(0, first, count).unsqueeze(1) == at::arange(pictures()).unsqueeze(0);
  const Tensor fit = data::matches_of(rows_.narrow(0, first, count), rows_);  // [count, texts]
  return at::zeros({count, pictures()}).index_add_(1, owners_, fit.to(at::kFloat)).gt(0);
}

Tensor ranks_of(const Tensor& scores, const Tensor& fits) {
  const Tensor best = scores.masked_fill(fits.logical_not(), kMinusInfinity).amax(1, /*keepdim=*/true);
  return ((scores >= best) & fits.logical_not()).sum(1);
}

Tensor reranked(const Tensor& ranks, const Reranked& again, const Tensor& fits) {
  const Tensor among = ranks_of(again.scores, fits);
  return at::where(fits.any(1), among, ranks.clamp_min(again.columns.size(1)));
}

double recall_at(const Tensor& ranks, int64_t k) { return (ranks < k).to(at::kDouble).mean().item<double>(); }

}  // namespace freeatm::evaluation
