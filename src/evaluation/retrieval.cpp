// SPDX-License-Identifier: Apache-2.0
#include "freeatm/evaluation/retrieval.h"

#include <limits>

#include <ATen/ATen.h>

#include "freeatm/core/error.h"
#include "freeatm/core/random.h"
#include "freeatm/data/matches.h"

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
  const std::string name = format("{} {}", pictures(), picture.key);
  for (const text::Caption& caption : picture.captions) {
    text::Claims claims{};
    if (equally_fitting_ && caption.is_annotated) {
      claims = text::claims_of(caption);
      has_claims_ = true;
    } else {  // equal to no other
      claims[0] = static_cast<int64_t>(stable_hash(format("{} {}", texts_.size(), name)) >> 1);
    }
    texts_.push_back(caption.text);
    picture_of_.push_back(pictures());
    claims_.push_back(data::claims_row(claims, name));
  }
  samples_.push_back(sample);
  first_text_.push_back(std::ssize(texts_));
  rows_ = Tensor();
}

void CaptionMatches::gather() const {
  if (rows_.defined()) return;
  rows_ = at::stack(claims_);
  owners_ = at::tensor(picture_of_, at::kLong);
}

Tensor CaptionMatches::of_pictures(int64_t first, int64_t count) const {
  gather();
  if (!has_claims_) return at::arange(first, first + count).unsqueeze(1) == owners_.unsqueeze(0);
  const int64_t begin = first_text_[first], own = first_text_[first + count] - begin;
  const Tensor fit = data::matches_of(rows_.narrow(0, begin, own), rows_);  // [own captions, texts]
  return at::zeros({count, std::ssize(texts_)})
      .index_add_(0, owners_.narrow(0, begin, own) - first, fit.to(at::kFloat))
      .gt(0);
}

Tensor CaptionMatches::of_texts(int64_t first, int64_t count) const {
  gather();
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
