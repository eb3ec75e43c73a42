// SPDX-License-Identifier: Apache-2.0
#include "freeatm/models/norm.h"

#include <ATen/ATen.h>
#include <torch/nn/modules/batchnorm.h>

#include "freeatm/models/resnet.h"
#include "freeatm/weights/load.h"

#include "models/hash_weights.h"
#include "testing.h"

namespace freeatm::models {
namespace {

template <class Module>
std::vector<std::string> state_names(const Module& module) {
  std::vector<std::string> names;
  for (const auto& [name, tensor] : weights::module_state(module)) names.push_back(name);
  return names;
}

TEST(Norm, IsLibTorchsBatchNorm) {
  for (const bool affine : {true, false}) {
    torch::nn::BatchNorm2d theirs(torch::nn::BatchNorm2dOptions(6).affine(affine));
    Norm ours(6, NormOptions{.affine = affine});
    testing::fill_with_hash(*theirs, 0.5f);
    testing::fill_with_hash(*ours, 0.5f);
    EXPECT_EQ(state_names(*ours), state_names(*theirs));
    EXPECT_EQ(ours->named_parameters().keys(), theirs->named_parameters().keys());
    const at::Tensor x = testing::hash_tensor("x", {3, 6, 5, 4});
    for (const bool trains : {true, true, false}) {
      ours->train(trains);
      theirs->train(trains);
      EXPECT_TRUE(ours->forward(x).equal(theirs->forward(x))) << trains;
    }
    const auto state = weights::module_state(*ours);
    for (const auto& [name, tensor] : weights::module_state(*theirs)) EXPECT_TRUE(state.at(name).equal(tensor)) << name;
    const at::Tensor rows = testing::hash_tensor("rows", {3, 6});
    EXPECT_TRUE(ours->forward(rows).equal(theirs->forward(rows.view({3, 6, 1, 1})).flatten(1)));
  }
}

TEST(Norm, FusedOrNotCountsItsBatches) {
  Norm norm(8);
  const at::Tensor x = testing::hash_tensor("x", {2, 8, 4, 4}).contiguous(at::MemoryFormat::ChannelsLast);
  EXPECT_LE((norm->norm_relu(x.clone()) - norm->forward(x).relu()).abs().max().item<double>(), 1e-5);
  EXPECT_EQ(weights::module_state(*norm).at("num_batches_tracked").item<int64_t>(), 2);
  norm->reset_parameters();
  const auto state = weights::module_state(*norm);
  EXPECT_EQ(state.at("num_batches_tracked").item<int64_t>(), 0);
  EXPECT_TRUE(state.at("running_var").equal(at::ones({8})));
}

TEST(Norm, AFrozenOneIsTheSameInBothModesAndLearnsNothing) {
  ResNet model({.depths = {1, 1}, .width = 4, .stem = "3x3", .norm = "frozen"}),
      plain({.depths = {1, 1}, .width = 4, .stem = "3x3"});
  EXPECT_EQ(state_names(model), state_names(plain));
  testing::fill_with_hash(model, 0.1f);
  testing::fill_with_hash(plain, 0.1f);
  plain.eval();
  const at::Tensor images = testing::hash_tensor("images", {2, 3, 16, 16});
  const auto copies = [&] {
    weights::TensorMap copies;
    for (const auto& [name, tensor] : weights::module_state(model)) copies[name] = tensor.clone();
    return copies;
  };
  const auto before = copies();
  const at::Tensor seen = model.forward(images);
  EXPECT_LE((seen - plain.forward(images)).abs().max().item<double>(), 1e-6);
  seen.sum().backward();
  for (const auto& [name, tensor] : copies()) EXPECT_TRUE(tensor.equal(before.at(name))) << name;
  for (const auto& item : model.named_parameters()) {
    EXPECT_EQ(item.key().find("bn"), std::string::npos) << item.key() << " learns";
    EXPECT_TRUE(item.value().grad().defined()) << item.key();
  }
}

TEST(Norm, AFrozenOnesFirstWeightsLeaveEveryBranchOpen) {
  ResNet model({.depths = {1}, .width = 4, .stem = "3x3", .norm = "frozen"});
  model.initialize(1);
  EXPECT_TRUE(weights::module_state(model).at("layer1.0.bn2.weight").equal(at::ones({4})));
}

}  // namespace
}  // namespace freeatm::models
