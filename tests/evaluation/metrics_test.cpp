// SPDX-License-Identifier: Apache-2.0
#include "freeatm/evaluation/metrics.h"

#include <algorithm>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "testing.h"

namespace freeatm::evaluation {
namespace {

Metrics rows() {
  Metrics metrics;
  append(metrics, {{"accuracy", 0.5}, {"pictures", 40}, {"accuracy_of", 0.25, "dog.v2"}, {"accuracy_of", 0.75, "cat"}},
         "test");
  metrics.push_back({"accuracy", 0.125, "", "test", "random_weights"});
  metrics.push_back({"chance", 0.1});
  return metrics;
}

TEST(Metrics, HaveTheNamesOfMetricsJson) {
  const testing::TemporaryFolder folder;
  write_metrics(folder.path(), "linear", rows());
  EXPECT_EQ(nlohmann::ordered_json::parse(read_file(folder / "metrics.json")),
            nlohmann::ordered_json::parse(R"({"task": "linear", "test_accuracy": 0.5, "test_pictures": 40.0,
                "test_accuracy_of": {"dog.v2": 0.25, "cat": 0.75}, "test_accuracy_random_weights": 0.125,
                "chance": 0.1})"));
  ::testing::internal::CaptureStdout();
  print_metrics(folder.path());
  const std::string text = ::testing::internal::GetCapturedStdout();
  EXPECT_EQ(std::count(text.begin(), text.end(), '\n'), 4) << text;
  EXPECT_TRUE(testing::contains(text, "test_pictures                                  40\n")) << text;
}

TEST(Metrics, AreReadBackAsTheyWere) {
  const testing::TemporaryFolder folder;
  const fs::path file = folder / "rows.json";
  write_rows(file, rows());
  const Metrics read = read_rows(file), wanted = rows();
  ASSERT_EQ(read.size(), wanted.size());
  for (size_t i = 0; i < read.size(); ++i) {
    EXPECT_EQ(read[i].name(), wanted[i].name());
    EXPECT_EQ(read[i].detail, wanted[i].detail);
    EXPECT_EQ(read[i].value, wanted[i].value);
  }
  for (const std::string damaged : {"[{", "[7]", R"([{"metric": "a"}])"}) {
    write_file(file, damaged);
    EXPECT_THROW(read_rows(file), UserError) << damaged;
  }
}

}  // namespace
}  // namespace freeatm::evaluation
