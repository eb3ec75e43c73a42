// SPDX-License-Identifier: Apache-2.0
// Average precision against scikit-learn (values: scripts/baselines/classification.py), and the two evaluators.
#include "freeatm/evaluation/classification.h"

#include <cmath>
#include <map>

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include "freeatm/weights/safetensors.h"

#include "metrics.h"
#include "testing.h"

namespace freeatm::evaluation {
namespace {

using testing::by_name;

TEST(AveragePrecision, EqualsScikitLearn) {
  const auto values =
      weights::load_safetensors(testing::test_file("evaluation/data/average_precision.safetensors")).tensors;
  const auto found = average_precision(values.at("scores"), values.at("targets"));
  ASSERT_EQ(found.size(), 6u);
  for (int64_t k = 0; k < 6; ++k) EXPECT_NEAR(found[k], values.at("average_precision")[k].item<double>(), 1e-12) << k;
}

TEST(AveragePrecision, OfEqualScoresIsTheShareOfPositives) {
  const at::Tensor targets = at::tensor({1, 0, 0, 1, 0, 0, 0, 0}).unsqueeze(1);
  EXPECT_DOUBLE_EQ(average_precision(at::zeros({8, 1}), targets)[0], 0.25);
  EXPECT_TRUE(std::isnan(average_precision(at::zeros({8, 1}), at::zeros({8, 1}))[0]));
}

// Logits that stand in the key: "-1 2 0.5".
at::Tensor written_logits(std::span<const data::Sample> samples) {
  std::vector<at::Tensor> rows;
  for (const auto& sample : samples) {
    std::istringstream in(sample.key);
    std::vector<double> row;
    for (double value; in >> value;) row.push_back(value);
    rows.push_back(at::tensor(row));
  }
  return at::stack(rows);
}

data::Sample sample(const std::string& logits, std::vector<int64_t> labels) {
  data::Sample out;
  out.key = logits;
  out.labels = std::move(labels);
  return out;
}

TEST(MultiLabelQuality, AveragesOverTheClassesThatThereAre) {
  MultiLabelQuality quality(written_logits, {"dog", "cat", "cow"});
  // dog: ranks 1 and 3 of its scores are dogs: (1 + 2/3) / 2; cat: rank 2: 1/2; no cow
  quality.process(std::vector{sample("3 1 -1", {0}), sample("2 -1 -1", {})});
  quality.process(std::vector{sample("1 0.5 -1", {0, 1})});
  auto metrics = by_name(quality.result());
  EXPECT_NEAR(metrics.at("average_precision.dog"), 5.0 / 6, 1e-12);
  EXPECT_NEAR(metrics.at("average_precision.cat"), 0.5, 1e-12);
  EXPECT_FALSE(metrics.contains("average_precision.cow"));
  EXPECT_NEAR(metrics.at("mean_average_precision"), 2.0 / 3, 1e-12);
  EXPECT_NEAR(metrics.at("exact_match"), 1.0 / 3, 1e-12);  // the last
  EXPECT_EQ(metrics.at("pictures"), 3);

  quality.reset();
  quality.process(std::vector{sample("3 1 -1", {})});
  EXPECT_USER_ERROR(quality.result(), "no picture has a label");
}

TEST(SingleLabelQuality, CountsWhatComesFirstAndAmongFive) {
  SingleLabelQuality quality(written_logits, {"a", "b", "c", "d", "e", "f"});
  quality.process(std::vector{sample("9 1 2 3 4 5", {0}), sample("0 1 2 3 4 5", {0}), sample("0 1 2 3 4 5", {1})});
  const auto metrics = by_name(quality.result());
  EXPECT_NEAR(metrics.at("top1_accuracy"), 1.0 / 3, 1e-12);
  EXPECT_NEAR(metrics.at("top5_accuracy"), 2.0 / 3, 1e-12);
  EXPECT_NEAR(metrics.at("accuracy.a"), 0.5, 1e-12);
  EXPECT_EQ(metrics.at("accuracy.b"), 0);
  EXPECT_FALSE(metrics.contains("accuracy.c"));
  SingleLabelQuality few(written_logits, {"a", "b"});
  few.process(std::vector{sample("1 0", {0})});
  EXPECT_FALSE(by_name(few.result()).contains("top5_accuracy"));
  EXPECT_EQ(by_name(few.result()).at("top1_accuracy"), 1);
}

}  // namespace
}  // namespace freeatm::evaluation
