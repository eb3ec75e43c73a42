// SPDX-License-Identifier: Apache-2.0
// Values: scripts/baselines/linear_probe.py.
#include "freeatm/evaluation/linear_head.h"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>
#include <torch/nn/functional.h>
#include <torch/optim/sgd.h>

#include "freeatm/core/files.h"

#include "probe_features.h"
#include "testing.h"

namespace freeatm::evaluation {
namespace {

using testing::kChannels;
using testing::kClasses;
using testing::probe_features;

TEST(FitLogistic, EqualsScikitLearn) {
  const auto expected = nlohmann::json::parse(read_file(testing::test_file("evaluation/data/linear_probe.json")));
  const auto train = probe_features("train", 2100), test = probe_features("test", 1400);
  const auto statistics = channel_statistics(train.features);
  const at::Tensor x = (train.features - statistics.mean) / statistics.deviation;
  const LinearHead head = for_raw_features(fit_logistic(x, train.labels, kClasses, 1), statistics);
  const at::Tensor logits = head.logits(test.features);
  const auto rows = expected.at("probabilities").get<std::vector<std::vector<double>>>();
  for (size_t i = 0; i < rows.size(); ++i) {
    const at::Tensor found = at::softmax(logits[static_cast<int64_t>(i)], 0);
    EXPECT_LT((found - at::tensor(rows[i])).abs().max().item<double>(), 1e-4) << i;
  }
  const double accuracy = logits.argmax(1).eq(test.labels).to(at::kDouble).mean().item<double>();
  EXPECT_NEAR(accuracy, expected.at("accuracy").get<double>(), 0.0011);  // one picture of 1,400, in case of a tie
}

TEST(FitLogistic, OfOnePictureAClassFindsIt) {
  const at::Tensor x = testing::hash_tensor("few", {kClasses, kChannels}), labels = at::arange(kClasses);
  EXPECT_TRUE(fit_logistic(x, labels, kClasses, 1).logits(x).argmax(1).equal(labels));
}

// Each of the heads goes its own way, as torch.optim.SGD with its own rate would take it.
TEST(HeadSweep, EqualsSgdWithEachRateByItself) {
  const std::vector<double> rates = {0.05, 0.3};
  const auto train = probe_features("train", 40);
  HeadSweep sweep(rates, kClasses, kChannels, 0.9, 6, at::kCPU);
  for (int i = 0; i < 6; ++i) {
    const at::Tensor logits = sweep.logits(train.features);  // [40, 2, 7]
    const at::Tensor truth = at::one_hot(train.labels, kClasses).unsqueeze(1);
    sweep.step(train.features, (at::softmax(logits, 2) - truth) / 40);
  }
  for (size_t rate = 0; rate < rates.size(); ++rate) {
    at::Tensor weight = at::zeros({kClasses, kChannels}).requires_grad_(),
               bias = at::zeros({kClasses}).requires_grad_();
    torch::optim::SGD sgd({weight, bias}, torch::optim::SGDOptions(rates[rate]).momentum(0.9));
    for (int i = 0; i < 6; ++i) {
      static_cast<torch::optim::SGDOptions&>(sgd.param_groups()[0].options())
          .lr(rates[rate] * 0.5 * (1 + std::cos(M_PI * i / 6.0)));
      sgd.zero_grad();
      torch::nn::functional::cross_entropy(at::addmm(bias, train.features, weight.t()), train.labels).backward();
      sgd.step();
    }
    const LinearHead head = sweep.head(static_cast<int64_t>(rate));
    EXPECT_TRUE(at::allclose(head.weight, weight, 1e-4, 1e-5)) << rate;
    EXPECT_TRUE(at::allclose(head.bias, bias, 1e-4, 1e-5)) << rate;
  }
}

}  // namespace
}  // namespace freeatm::evaluation
