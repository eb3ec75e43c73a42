// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <vector>

namespace freeatm::evaluation {

/// Spearman's: the correlation of the values' ranks, ties sharing their mean rank (scipy.stats.spearmanr); 0 where one
/// side is constant.
double rank_correlation(const std::vector<double>& a, const std::vector<double>& b);

}  // namespace freeatm::evaluation
