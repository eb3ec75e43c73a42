// SPDX-License-Identifier: Apache-2.0
#include "freeatm/objectives/vision_language/losses.h"

#include <limits>

#include <ATen/ATen.h>

#include "freeatm/core/error.h"
#include "freeatm/runtime/ranks.h"

#include "../draws.h"

namespace freeatm::objectives {
namespace {

using at::Tensor;

constexpr float kMinusInfinity = -std::numeric_limits<float>::infinity();

void check_side(const ItcSide& side) {
  FREEATM_CHECK(side.matches.scalar_type() == at::kBool && side.matches.dim() == 2 &&
                    side.matches.size(0) == side.queries.size(0) && side.matches.size(1) == side.keys.size(0),
                "matches are {} {}, want bool [{}, {}]", side.matches.scalar_type(), side.matches.sizes(),
                side.queries.size(0), side.keys.size(0));
}

Tensor itc_targets(const ItcSide& side, const Tensor& scale, double alpha) {
  const at::NoGradGuard no_grad;
  Tensor hard = shared_targets(side.matches);
  if (!side.soft.defined() || alpha == 0) return hard;
  return (1 - alpha) * hard + alpha * at::softmax(scale * side.soft.mm(side.keys.t()), 1);
}

Tensor one_way(const ItcSide& side, const Tensor& scale, double alpha) {
  check_side(side);
  const Tensor log_probability = at::log_softmax(scale * side.queries.mm(side.keys.t()), 1);
  return -(itc_targets(side, scale, alpha) * log_probability).sum(1).mean();
}

// Rows against columns; in row i column first + i is right.
Tensor diagonal_loss(const Tensor& logits, int64_t first) { return -at::log_softmax(logits, 1).diagonal(first).mean(); }

}  // namespace

Tensor shared_targets(const Tensor& matches) {
  const Tensor weights = matches.to(at::kFloat);
  return weights / weights.sum(1, /*keepdim=*/true).clamp_min(1);
}

Tensor itc_loss(const ItcSide& images, const ItcSide& texts, const Tensor& scale, double alpha) {
  return (one_way(images, scale, alpha) + one_way(texts, scale, alpha)) / 2;
}

Tensor gumbel_noise(int64_t count, RandomStream random) {
  Tensor out = at::empty({count}, at::kFloat);
  auto* values = out.data_ptr<float>();
  for (int64_t i = 0; i < count; ++i) values[i] = static_cast<float>(gumbel(random));
  return out;
}

HardNegatives itm_negatives(const Tensor& similarity, const Tensor& matches, const Tensor& noise) {
  const Tensor noisy = (similarity.detach().to(at::kFloat) + noise).masked_fill(matches, kMinusInfinity);
  return {noisy.argmax(1), matches.logical_not().any(1)};
}

Tensor labelled_loss(const Tensor& logits, const Tensor& labels) {
  const Tensor sum = at::cross_entropy_loss(logits, labels, {}, at::Reduction::Sum, /*ignore_index=*/kNoLabel);
  return sum / (labels != kNoLabel).sum().clamp_min(1);
}

Tensor phrase_contrast_loss(const Tensor& regions, const Tensor& phrases, const Tensor& texts, double temperature) {
  const Tensor all_regions = runtime::gathered_rows(regions), all_phrases = runtime::gathered_rows(phrases),
               all_texts = runtime::ranks().gather_rows(texts);
  const int64_t first = runtime::rows_before(regions.size(0));
  if (regions.size(0) == 0) return (all_regions.sum() + all_phrases.sum()) * 0;  // the graph stays whole
  Tensor same = texts.unsqueeze(1) == all_texts.unsqueeze(0);                    // [P, all P]
  same.diagonal(first).fill_(false);
  const auto contrast = [&](const Tensor& own, const Tensor& all) {
    return diagonal_loss((own.mm(all.t()) / temperature).masked_fill(same, kMinusInfinity), first);
  };
  return (contrast(regions, all_phrases) + contrast(phrases, all_regions)) / 2;
}

}  // namespace freeatm::objectives
