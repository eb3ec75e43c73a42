// SPDX-License-Identifier: Apache-2.0
// Weights of others in our backbones.
#include "freeatm/models/pretrained.h"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include "freeatm/models/resnet.h"
#include "freeatm/models/vit.h"
#include "freeatm/weights/load.h"

#include "testing.h"

namespace freeatm::models {
namespace {

using weights::TensorMap;

const ResNetOptions kResNet{.depths = {1, 1}, .width = 4, .stem = "3x3"};
const ViTOptions kViT{.image_size = 32, .patch_size = 8, .dim = 16, .depth = 2, .heads = 2};

template <class Model, class Options>
TensorMap weights_of(const Options& options, uint64_t seed) {
  Model model(options);
  model.initialize(seed);
  TensorMap copies;
  for (const auto& [name, tensor] : weights::module_state(model)) copies[name] = tensor.clone();
  return copies;
}

TensorMap with_prefix(const std::string& prefix, const TensorMap& tensors, TensorMap others = {}) {
  for (const auto& [name, tensor] : tensors) others[prefix + name] = tensor;
  return others;
}

TEST(Pretrained, TakesEveryPrefixAway) {
  const TensorMap own = weights_of<ResNet>(kResNet, 1);
  const at::Tensor one = at::ones({1});
  const TensorMap files[] = {
      own,
      with_prefix("", own, {{"fc.weight", one}, {"fc.bias", one}}),
      with_prefix("module.", own, {{"module.fc.weight", one}}),
      with_prefix("backbone.", own, {{"head.weight", one}, {"momentum_backbone.conv1.weight", one}}),
      with_prefix("module.base_encoder.", own,
                  {{"module.base_encoder.fc.0.weight", one}, {"module.predictor.0.weight", one}}),
      with_prefix("model.backbone.", own, {{"criterion.weight", one}}),
      with_prefix("_orig_mod.", own),
      with_prefix("module._orig_mod.backbone._orig_mod.", own, {{"module._orig_mod.fc.weight", one}}),
      with_prefix(
          "module.encoder_q.", own,
          {{"module.encoder_q.fc.0.weight", one}, {"module.encoder_k.conv1.weight", one}, {"module.queue", one}}),
      with_prefix("teacher.backbone.", own, {{"student.backbone.conv1.weight", one}, {"teacher.head.weight", one}}),
  };
  for (const TensorMap& file : files) {
    const auto [tensors, left_out] = backbone_tensors(file);
    ASSERT_EQ(tensors.size(), own.size()) << file.begin()->first;
    for (const auto& [name, tensor] : own) EXPECT_TRUE(tensors.at(name).is_same(tensor)) << name;
    EXPECT_EQ(left_out.size(), file.size() - own.size()) << "each tensor is taken or named";
  }
}

TEST(Pretrained, LeavesAMaskedAutoencodersDecoderOut) {
  const TensorMap own = weights_of<ViT>(kViT, 1);
  const at::Tensor one = at::ones({1});
  const auto [tensors, left_out] = backbone_tensors(
      with_prefix("", own, {{"decoder_pos_embed", one}, {"decoder_blocks.0.norm1.weight", one}, {"mask_token", one}}));
  EXPECT_EQ(tensors.size(), own.size());
  EXPECT_EQ(left_out, (std::vector<std::string>{"decoder_blocks.0.norm1.weight", "decoder_pos_embed", "mask_token"}));
}

TEST(Pretrained, CopiesAllAndNeedsNoBatchCounts) {
  TensorMap file = weights_of<ResNet>(kResNet, 1);
  std::erase_if(file, [](const auto& item) { return item.first.ends_with("num_batches_tracked"); });
  ResNet model(kResNet);
  model.initialize(2);
  load_pretrained(model, file, "f", "checkpoint");
  const TensorMap state = weights::module_state(model);
  for (const auto& [name, tensor] : file) EXPECT_TRUE(state.at(name).equal(tensor)) << name;
}

TEST(Pretrained, NamesWhatDoesNotFitWithBothShapes) {
  ResNet model(kResNet);
  ResNetOptions wider = kResNet;
  wider.width = 8;
  EXPECT_USER_ERROR(load_pretrained(model, weights_of<ResNet>(wider, 1), "f", "checkpoint"),
                    "f: checkpoint: holds another model's weights: bn1.bias: [8] in the file, [4] in the model; ");
  EXPECT_USER_ERROR(load_pretrained(model, with_prefix("trunk.", weights_of<ResNet>(kResNet, 1)), "f", "checkpoint"),
                    "; its own names are trunk.bn1.bias, trunk.bn1.num_batches_tracked, ");
  EXPECT_USER_ERROR(load_pretrained(model, weights_of<ResNet>(wider, 1), "f", "checkpoint"), " more");
  TensorMap file = weights_of<ResNet>(kResNet, 1);
  file.erase("layer2.0.conv1.weight");
  file["layer3.0.conv1.weight"] = at::zeros({2, 3});
  EXPECT_USER_ERROR(load_pretrained(model, file, "f", "checkpoint"),
                    "weights: layer2.0.conv1.weight: none in the file, [8, 4, 3, 3] in the model; "
                    "layer3.0.conv1.weight: [2, 3] in the file, none in the model");
  EXPECT_USER_ERROR(load_pretrained(model, weights_of<ViT>(kViT, 1), "f", "checkpoint"), "none in the file");
}

TEST(Pretrained, RefusesWhatIsNotFiniteInTheModelsType) {
  ResNet model(kResNet);
  for (const double value : {std::nan(""), HUGE_VAL, 1e300}) {  // the last one fits into fp64 alone
    TensorMap file = weights_of<ResNet>(kResNet, 1);
    file["bn1.bias"] = at::full({4}, 0.0, at::kDouble);
    file["bn1.bias"][2] = value;
    file["fc.weight"] = at::full({3}, std::nan(""));  // a head, which nobody needs
    EXPECT_USER_ERROR(load_pretrained(model, file, "f", "checkpoint"),
                      "f: checkpoint: bn1.bias (1 of 4 values) is not finite: saved by a run that diverged, or in a "
                      "half precision");
    file.erase("bn1.bias");
    file["bn1.bias"] = at::zeros({4});
    EXPECT_EQ(load_pretrained(model, file, "f", "checkpoint"), std::vector<std::string>{"fc.weight"});
  }
}

TEST(Pretrained, ResizesPositionsOfAnotherGrid) {
  ViTOptions larger = kViT;
  larger.image_size = 48;
  const TensorMap file = weights_of<ViT>(kViT, 1);
  ViT model(larger);
  load_pretrained(model, file, "f", "checkpoint");
  const at::Tensor positions = weights::module_state(model).at("pos_embed");
  EXPECT_TRUE(positions.equal(resized_positions(file.at("pos_embed"), 1, 4, 4, 6, 6)));
  // A picture of the old size sees in the new model about what it sees in the old one, not something else.
  const at::Tensor back = resized_positions(positions, 1, 6, 6, 4, 4);
  EXPECT_LT((back - file.at("pos_embed")).norm().item<double>(), 0.5 * file.at("pos_embed").norm().item<double>());
}

TEST(Pretrained, TheNormOfAnotherPoolingStaysAsItWas) {
  ViTOptions mean = kViT;
  mean.global_pool = "avg";
  TensorMap file = weights_of<ViT>(kViT, 1);
  file["norm.weight"] = at::full({16}, 3.0);
  ViT model(mean);
  model.initialize(2);
  load_pretrained(model, file, "f", "checkpoint");
  const TensorMap state = weights::module_state(model);
  EXPECT_TRUE(state.at("fc_norm.weight").equal(at::ones({16})));
  EXPECT_TRUE(state.at("cls_token").equal(file.at("cls_token")));
}

}  // namespace
}  // namespace freeatm::models
