// SPDX-License-Identifier: Apache-2.0
#include "rank_correlation.h"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "freeatm/core/files.h"

#include "testing.h"

namespace freeatm::evaluation {
namespace {

TEST(RankCorrelation, EqualsScipysWithTies) {
  const auto json =
      nlohmann::json::parse(read_file(testing::source_file("tests/evaluation/data/rank_correlation.json")));
  EXPECT_NEAR(rank_correlation(json.at("a").get<std::vector<double>>(), json.at("b").get<std::vector<double>>()),
              json.at("correlation").get<double>(), 1e-12);
  EXPECT_EQ(rank_correlation({1, 1, 1}, {1, 2, 3}), 0);
  EXPECT_EQ(rank_correlation({1, 5, 9}, {3, 2, 1}), -1);
}

}  // namespace
}  // namespace freeatm::evaluation
