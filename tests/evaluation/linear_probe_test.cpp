// SPDX-License-Identifier: Apache-2.0
// Against scikit-learn; values: scripts/baselines/linear_probe.py.
#include "freeatm/evaluation/linear_probe.h"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "freeatm/core/files.h"
#include "freeatm/evaluation/classification.h"

#include "probe_features.h"
#include "testing.h"

namespace freeatm::evaluation {
namespace {

using testing::probe_features;
using testing::several_labels;

const nlohmann::json& expected() {
  static const auto values = nlohmann::json::parse(read_file(testing::test_file("evaluation/data/linear_probe.json")));
  return values;
}

double accuracy(const LinearHead& head, const LabelledFeatures& test) {
  return head.logits(test.features).argmax(1).eq(test.labels).to(at::kDouble).mean().item<double>();
}

TEST(LinearProbe, IsWithinAPointOfScikitLearn) {
  const auto probe = train_linear_probe(probe_features("train", 2100), nullptr, {}, 0, "test");
  EXPECT_NEAR(accuracy(probe.head, probe_features("test", 1400)), expected().at("accuracy_unregularised").get<double>(),
              0.01);
  ASSERT_EQ(probe.holdout_scores.size(), LinearProbeOptions().learning_rates.size());
}

TEST(LinearProbe, OfSeveralLabelsToo) {
  const auto train = several_labels("train", 2100), test = several_labels("test", 1400);
  const at::Tensor positives = at::tensor(expected().at("positives").get<std::vector<int64_t>>());
  EXPECT_LE((train.labels.sum(0).to(at::kLong) - positives).abs().max().item<int64_t>(),
            1);  // a score on the edge, in fp32
  const auto probe = train_linear_probe(train, nullptr, {}, 0, "test");
  EXPECT_NEAR(mean_average_precision(probe.head.logits(test.features), test.labels),
              expected().at("mean_average_precision").get<double>(), 0.01);
}

TEST(LinearProbe, TakesTheRateThatTheHeldOutPartLikesBest) {
  // The first ends in no numbers at all.
  const auto train = probe_features("train", 700);
  const auto probe = train_linear_probe(train, nullptr, {.epochs = 20, .learning_rates = {1e38, 0.1}}, 0, "test");
  EXPECT_EQ(probe.learning_rate, 0.1);
  EXPECT_EQ(probe.holdout_scores[0], 0);
  EXPECT_GT(accuracy(probe.head, probe_features("test", 700)), 0.5);
}

TEST(LinearProbe, IsAFunctionOfTheSeed) {
  const auto train = probe_features("train", 700);
  const LinearProbeOptions options{.epochs = 3, .learning_rates = {0.1}};
  const auto weight = [&](uint64_t seed) {
    return train_linear_probe(train, nullptr, options, seed, "test").head.weight;
  };
  EXPECT_TRUE(weight(1).equal(weight(1)));
  EXPECT_FALSE(weight(1).equal(weight(2)));
}

TEST(LinearProbe, LearnsMirrorImagesAsWell) {
  auto train = probe_features("train", 700), mirrored = train;
  mirrored.features = -train.features;  // what is learnt from both cannot tell a sign
  const auto alone = train_linear_probe(train, nullptr, {.epochs = 5}, 0, "test");
  const auto both = train_linear_probe(train, &mirrored, {.epochs = 5, .standardise = false}, 0, "test");
  EXPECT_GT(accuracy(alone.head, train), 0.6);
  EXPECT_LT(both.head.weight.abs().max().item<double>(), 0.2 * alone.head.weight.abs().max().item<double>());
}

TEST(LinearProbe, RefusesTooFewPictures) {
  EXPECT_USER_ERROR(train_linear_probe(probe_features("train", 3), nullptr, {}, 0, "test"),
                    "linear.holdout: 0.1 of 3 training pictures leaves nothing");
}

}  // namespace
}  // namespace freeatm::evaluation
