// SPDX-License-Identifier: Apache-2.0
// What is hidden is a distribution: it is tested as one.
#include "freeatm/objectives/masked/masking.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <numeric>

#include <gtest/gtest.h>

namespace freeatm::objectives {
namespace {

HiddenCells drawn(const Coverage& coverage, int64_t count, double gamma, uint64_t index,
                  const MaskingOptions& options = {}) {
  RandomStream random(5, "masking", 0, index);
  return draw_hidden(coverage, count, gamma, options, random);
}

int64_t hidden_of(const HiddenCells& cells) {
  return std::accumulate(cells.is_hidden.begin(), cells.is_hidden.end(), int64_t{0});
}

/// The chance that these cells are drawn one after the other without replacement, in any order.
double probability(std::vector<int> subset, const std::vector<double>& weights) {
  std::ranges::sort(subset);
  double all = 0;
  do {
    double left = std::accumulate(weights.begin(), weights.end(), 0.0), chance = 1;
    for (const int cell : subset) chance *= weights[cell] / left, left -= weights[cell];
    all += chance;
  } while (std::ranges::next_permutation(subset).found);
  return all;
}

/// Pearson's statistic of the subsets that are drawn, over its degrees of freedom and in their deviations.
double deviations_of_chi_square(const Coverage& coverage, int64_t count, double gamma, double assumed_gamma) {
  const std::vector<float> foreground = coverage.foreground();
  std::vector<double> weights;
  for (const float share : foreground) weights.push_back(std::exp(assumed_gamma * share));
  constexpr int kDraws = 20000;
  std::map<std::vector<int>, int> seen;
  for (int i = 0; i < kDraws; ++i) {
    const HiddenCells cells = drawn(coverage, count, gamma, static_cast<uint64_t>(i));
    std::vector<int> subset;
    for (int64_t c = 0; c < coverage.cells; ++c) {
      if (cells.is_hidden[c]) subset.push_back(static_cast<int>(c));
    }
    ++seen[subset];
  }
  double chi_square = 0, covered = 0;
  for (const auto& [subset, times] : seen) {
    const double expected = kDraws * probability(subset, weights);
    chi_square += (times - expected) * (times - expected) / expected;
    covered += expected;
  }
  chi_square += kDraws - covered;  // subsets that were never drawn
  const double freedom =
      std::tgamma(coverage.cells + 1) / std::tgamma(count + 1) / std::tgamma(coverage.cells - count + 1) - 1;
  return (chi_square - freedom) / std::sqrt(2 * freedom);
}

const Coverage kTwoThings{.cells = 6, .things = {{1, 0.5F, 0, 0, 0, 0}, {0, 0, 0.8F, 0, 0, 0.2F}}};

TEST(Masking, SubsetsHaveTheirExactProbabilities) {
  for (const double gamma : {-1.0, 0.0, 0.5, 2.0}) {
    for (const int64_t count : {2, 3, 4}) {
      EXPECT_LT(std::abs(deviations_of_chi_square(kTwoThings, count, gamma, gamma)), 5) << gamma << " " << count;
    }
  }
  EXPECT_GT(deviations_of_chi_square(kTwoThings, 3, 0.5, 0.0), 50) << "the test tells a wrong gamma";
}

TEST(Masking, GammaOfZeroAndPicturesWithoutMasksAreRandomBitForBit) {
  const Coverage bare{.cells = 64};
  Coverage covered = bare;
  covered.things = {std::vector<float>(64, 0.7F)};
  MaskingOptions guided{.masking = "guided"};
  for (uint64_t i = 0; i < 100; ++i) {
    const auto random = drawn(bare, 48, 0, i).is_hidden;
    EXPECT_EQ(drawn(covered, 48, 0, i, guided).is_hidden, random);
    EXPECT_EQ(drawn(bare, 48, 2.5, i, guided).is_hidden, random);
    EXPECT_EQ(drawn(bare, 48, -1, i, {.masking = "guided", .hints = 3, .per_phrase = true}).is_hidden, random);
  }
}

TEST(Masking, HidesAsManyAsItShouldAndHintsAlwaysHold) {
  RandomStream shapes(1, "shapes");
  for (uint64_t i = 0; i < 500; ++i) {
    Coverage coverage{.cells = 36};
    for (int64_t thing = 0; thing < 1 + shapes.integer(4); ++thing) {
      std::vector<float> cells(36);
      const int64_t size = 1 + shapes.integer(12), first = shapes.integer(36 - size);
      std::fill_n(cells.begin() + first, size, static_cast<float>(0.2 + 0.8 * shapes.uniform()));
      coverage.things.push_back(cells);
    }
    for (const bool per_phrase : {false, true}) {
      const MaskingOptions options{.masking = "guided", .hints = 2, .per_phrase = per_phrase};
      const HiddenCells cells = drawn(coverage, 25, 3, i, options);
      EXPECT_EQ(hidden_of(cells), 25);
      EXPECT_FALSE(cells.lacks_hints);
      for (const auto& thing : coverage.things) {
        const auto own = std::ranges::count_if(thing, [](float share) { return share >= 0.5F; });
        int64_t visible = 0;
        for (size_t c = 0; c < 36; ++c) visible += thing[c] > 0 && !cells.is_hidden[c];
        EXPECT_GE(visible, std::min<int64_t>(2, std::max<int64_t>(own, 1)));
      }
    }
  }
}

TEST(Masking, GivesUpHintsThatHaveNoRoom) {
  Coverage coverage{.cells = 8};
  for (size_t thing = 0; thing < 4; ++thing) {
    coverage.things.emplace_back(8);
    coverage.things.back()[2 * thing] = coverage.things.back()[2 * thing + 1] = 1;
  }
  const HiddenCells cells = drawn(coverage, 5, 1, 0, {.masking = "guided", .hints = 2});
  EXPECT_EQ(hidden_of(cells), 5);
  EXPECT_TRUE(cells.lacks_hints);
}

TEST(Masking, SpreadsWhatIsHiddenOverTheThings) {
  Coverage coverage{.cells = 40, .things = {std::vector<float>(40), std::vector<float>(40)}};
  std::fill_n(coverage.things[0].begin(), 8, 1.0F);
  std::fill_n(coverage.things[1].begin() + 20, 4, 1.0F);
  bool differs = false;
  for (uint64_t i = 0; i < 200; ++i) {
    const auto plain = drawn(coverage, 20, 0.5, i, {.masking = "guided"});
    const auto spread = drawn(coverage, 20, 0.5, i, {.masking = "guided", .per_phrase = true});
    const auto parts = [](const HiddenCells& cells) {
      return std::pair(std::accumulate(&cells.is_hidden[0], &cells.is_hidden[8], 0),
                       std::accumulate(&cells.is_hidden[20], &cells.is_hidden[24], 0));
    };
    const auto [large, small] = parts(spread);
    EXPECT_EQ(hidden_of(spread), 20);
    EXPECT_EQ(large + small, parts(plain).first + parts(plain).second);
    EXPECT_LE(std::abs(large - 2 * small), 2) << "up to rounding, twice as many of what is twice as large";
    differs |= spread.is_hidden != plain.is_hidden;
  }
  EXPECT_TRUE(differs);
}

TEST(Masking, CountsAsMaeDoes) {
  EXPECT_EQ(MaskingOptions{}.hidden(196), 147);
  EXPECT_EQ((MaskingOptions{.mask_ratio = 0.6}.hidden(49)), 30);
  EXPECT_NEAR((GammaOptions{.from = -1, .to = 1, .curve = "cosine"}.at(0.5)), 0, 1e-12);
  EXPECT_DOUBLE_EQ((GammaOptions{.from = -1, .to = 0.5}.at(1)), 0.5);
}

}  // namespace
}  // namespace freeatm::objectives
