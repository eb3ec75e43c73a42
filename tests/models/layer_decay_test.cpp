// SPDX-License-Identifier: Apache-2.0
#include "freeatm/models/layer_decay.h"

#include <map>
#include <string>

#include <ATen/ATen.h>
#include <gtest/gtest.h>
#include <torch/nn/modules/linear.h>

#include "freeatm/models/resnet.h"
#include "freeatm/models/vit.h"

namespace freeatm::models {
namespace {

TEST(LayerNumbers, EachBlockIsALayer) {
  const ResNet resnet({.depths = {1, 2}, .width = 2});
  const ViT vit({.image_size = 8, .patch_size = 8, .dim = 4, .depth = 12, .heads = 1});
  const LayerNumbers of_resnet(resnet), of_vit(vit);
  EXPECT_EQ(of_resnet.count(), 5);
  EXPECT_EQ(of_vit.count(), 14);
  const std::map<std::string, int64_t> resnets = {{"conv1.weight", 0},
                                                  {"bn1.weight", 0},
                                                  {"layer1.0.bn1.bias", 1},
                                                  {"layer2.0.downsample.1.weight", 2},
                                                  {"layer2.1.conv2.weight", 3}};
  for (const auto& [name, layer] : resnets) EXPECT_EQ(of_resnet.of(name), layer) << name;
  const std::map<std::string, int64_t> vits = {
      {"cls_token", 0},       {"pos_embed", 0},       {"patch_embed.proj.bias", 0}, {"blocks.0.norm1.weight", 1},
      {"blocks.9.norm2", 10}, {"blocks.11.mlp.", 12}, {"norm.weight", 13},          {"fc_norm.bias", 13}};
  for (const auto& [name, layer] : vits) EXPECT_EQ(of_vit.of(name), layer) << name;
}

TEST(LayerNumbers, AModelWithoutBlocksIsOneLayer) {
  const LayerNumbers numbers(*torch::nn::Linear(2, 2));
  EXPECT_EQ(numbers.count(), 1);
  EXPECT_EQ(numbers.of("weight"), 0);
  EXPECT_EQ(numbers.of("norm.weight"), 0);
}

TEST(IsDecayed, TokensPositionsAndWhatHasOneDimensionAreNot) {
  const at::Tensor row = at::zeros({4}), matrix = at::zeros({1, 4, 4});
  EXPECT_TRUE(is_decayed("blocks.0.mlp.fc1.weight", matrix));
  EXPECT_FALSE(is_decayed("blocks.0.norm1.weight", row));
  for (const char* name : {"cls_token", "pos_embed", "mask_token"}) EXPECT_FALSE(is_decayed(name, matrix)) << name;
}

}  // namespace
}  // namespace freeatm::models
