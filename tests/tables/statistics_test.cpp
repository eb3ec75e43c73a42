// SPDX-License-Identifier: Apache-2.0
#include "freeatm/tables/statistics.h"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "freeatm/core/json.h"

#include "testing.h"

namespace freeatm::tables {
namespace {

// Values: scripts/baselines/table_statistics.py
nlohmann::json expected() { return read_json(testing::test_file("tables/data/statistics.json")); }

TEST(Statistics, QuantilesAreSciPys) {
  for (const auto& one : expected().at("quantiles")) {
    const double t = one.at("t");
    EXPECT_NEAR(student_t(one.at("inside"), one.at("degrees")), t, 1e-9 * t) << one;
  }
}

TEST(Statistics, MeansDeviationsAndIntervalsAreNumPysAndSciPys) {
  for (const auto& one : expected().at("cases")) {
    const std::vector<double> values = one.at("values"), baseline = one.at("baseline");
    const Summary summary = summary_of(values);
    EXPECT_EQ(summary.count, std::ssize(values));
    EXPECT_NEAR(summary.mean, one.at("mean"), 1e-14);
    EXPECT_NEAR(*summary.deviation, one.at("deviation"), 1e-14);
    const Difference difference = paired_difference(values, baseline);
    EXPECT_NEAR(difference.of_pairs.mean, one.at("difference"), 1e-14);
    EXPECT_NEAR(*difference.of_pairs.deviation, one.at("deviation_of_pairs"), 1e-14);
    EXPECT_NEAR(difference.interval->first, one.at("interval")[0], 1e-11);
    EXPECT_NEAR(difference.interval->second, one.at("interval")[1], 1e-11);
  }
}

TEST(Statistics, OneValueHasNeitherDeviationNorInterval) {
  EXPECT_FALSE(summary_of({0.5}).deviation);
  const Difference difference = paired_difference({0.5}, {0.4});
  EXPECT_NEAR(difference.of_pairs.mean, 0.1, 1e-15);
  EXPECT_EQ(difference.of_pairs.count, 1);
  EXPECT_FALSE(difference.interval);
}

}  // namespace
}  // namespace freeatm::tables
