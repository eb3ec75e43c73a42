// SPDX-License-Identifier: Apache-2.0
// The losses of vision-language training: functions of features and logits.
#pragma once
#include <cstdint>

#include <ATen/core/Tensor.h>

#include "freeatm/core/random.h"

namespace freeatm::objectives {

/// One way of the contrast between pictures and captions: each query against every key of the other kind. Features have
/// length 1.
struct ItcSide {
  at::Tensor queries;  // [B, D]: this rank's
  at::Tensor keys;     // [K, D]: the batch's, of all ranks in the order of the ranks; those of a queue behind them
  at::Tensor matches;  // [B, K] bool: the keys that fit a query. Equally fitting ones all do, not only its partner
  at::Tensor soft;     // [B, D]: the queries by the momentum encoder, whose opinion is mixed into the targets; or none
};

/// matches / their number in a row: [3, 3, 5] against itself gives [.5, .5, 0], [.5, .5, 0], [0, 0, 1]. Rows without
/// any stay 0.
at::Tensor shared_targets(const at::Tensor& matches);

/// Image-text contrast, the mean of both ways: -sum(target * log softmax(scale * queries keys^T)), the mean over
/// queries. CLIP (Radford et al. 2021) with one caption to a picture; ALBEF (Li et al. 2021, eq. 1 and 6) with soft
/// queries, where
///   target = (1 - alpha) shared_targets + alpha softmax(scale * soft keys^T), without gradient
/// Over ranks, gathered keys must carry their gradient back to the rank that they are from, and gradients be averaged
/// over ranks: then R ranks train as one process does with all their pairs.
///   scale: 1 / temperature, a scalar tensor, learned or not
at::Tensor itc_loss(const ItcSide& images, const ItcSide& texts, const at::Tensor& scale, double alpha = 0);

/// What each row got as its hard negative.
struct HardNegatives {
  at::Tensor columns;  // [B] int64; where there is none, any column
  at::Tensor exist;    // [B] bool: whether the row has any column that does not match
};

/// Gumbel noise, [count] fp32: `itm_negatives` takes a row of it for each of its rows.
at::Tensor gumbel_noise(int64_t count, RandomStream random);

/// Draws a column for each row from the softmax of its similarities over the columns that do not match (ALBEF, section
/// 3.2; a match has no weight, as in BLIP): the largest sum of noise and similarity wins, and nothing waits for the
/// device.
///   similarity: [B, K], scaled as the contrast's logits; matches: [B, K] bool; noise: [B, K]
HardNegatives itm_negatives(const at::Tensor& similarity, const at::Tensor& matches, const at::Tensor& noise);

/// Labels that losses leave out.
inline constexpr int64_t kNoLabel = -100;

/// Cross entropy, the mean over the rows with a label; 0 where no row has one. The loss of hidden words, with a logit
/// for each word, and of matching, with logits [R, 2] and labels 1 for a pair that fits, 0 for one with a hard
/// negative, and kNoLabel where a row has no negative.
at::Tensor labelled_loss(const at::Tensor& logits, const at::Tensor& labels);

/// Each region's features against those of its phrase in its caption, InfoNCE (van den Oord et al. 2018) both ways over
/// the batch's phrases, those of all ranks, the mean of both. Phrases that read the same are left out of each other's
/// denominators; other phrases of the same picture stay in. Without phrases 0.
///   regions, phrases: [P, D], of length 1; texts: [P] int64, equal for equal texts
at::Tensor phrase_contrast_loss(const at::Tensor& regions, const at::Tensor& phrases, const at::Tensor& texts,
                                double temperature);

}  // namespace freeatm::objectives
