// SPDX-License-Identifier: Apache-2.0
#include "freeatm/evaluation/knn.h"

#include <ATen/ATen.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "freeatm/core/files.h"

#include "colours.h"
#include "models/hash_weights.h"

namespace freeatm::evaluation {
namespace {

using testing::Colours;
using testing::MeanColour;

// As scripts/baselines/knn.py makes them.
std::pair<at::Tensor, at::Tensor> features(const char* name, int64_t count) {
  const at::Tensor labels = (at::arange(count) * 5).remainder(7);
  const at::Tensor centres = testing::hash_tensor("centres", {7, 12});
  return {(testing::hash_tensor(name, {count, 12}) + 0.3 * centres.index({labels})).to(at::kDouble), labels};
}

TEST(KnnPredict, EqualsNumPy) {
  const auto expected = nlohmann::json::parse(read_file(testing::test_file("evaluation/data/knn.json")));
  const auto [bank, labels] = features("bank", 250);
  const std::vector<int64_t> neighbours = {10, 20, 100, 200};
  const auto predicted = knn_predict(features("queries", 60).first, bank, labels, 7, neighbours, 0.07);
  for (size_t i = 0; i < neighbours.size(); ++i) {
    const auto wanted = expected.at(std::to_string(neighbours[i])).get<std::vector<int64_t>>();
    EXPECT_TRUE(predicted[i].equal(at::tensor(wanted))) << "k " << neighbours[i];
  }
}

TEST(KnnPredict, ManyQueriesAreAnsweredLikeFew) {
  const auto [bank, labels] = features("bank", 250);
  const at::Tensor few = features("queries", 60).first, many = few.repeat({40, 1});
  EXPECT_TRUE(knn_predict(many, bank, labels, 7, {20}, 0.07)[0].equal(
      knn_predict(few, bank, labels, 7, {20}, 0.07)[0].repeat({40})));
}

TEST(KnnAccuracy, ReadsTheColours) {
  MeanColour backbone;
  FrozenBackbone frozen(backbone, at::kCPU);
  const FeatureOptions small{.image_size = 8, .batch_size = 32};
  const auto bank = extract_features(frozen, Colours(90), small, {}, "bank");
  auto queries = extract_features(frozen, Colours(60), small, 30, "queries");
  ASSERT_EQ(queries.size(), 30);
  const KnnOptions options = KnnOptions{.neighbours = {5, 10, 200}}.for_bank(bank.size());  // 200 is more than 90
  const auto metrics = knn_accuracy(queries, bank, options);
  ASSERT_EQ(metrics.size(), 3u);
  EXPECT_EQ(metrics[0].name(), "knn_accuracy");
  EXPECT_EQ(metrics[2].name(), "knn_accuracy_by_k");
  EXPECT_EQ(metrics[2].detail, "10");
  for (const auto& metric : metrics) EXPECT_EQ(metric.value, 1.0);
  queries.labels.narrow(0, 0, 15).add_(1).remainder_(3);
  EXPECT_EQ(knn_accuracy(queries, bank, options)[0].value, 0.5);
}

TEST(Knn, RefusesMoreNeighboursThanThereAre) {
  EXPECT_USER_ERROR(KnnOptions{}.for_bank(9), "knn.neighbours: 20 is more than the 9 training pictures");
}

}  // namespace
}  // namespace freeatm::evaluation
