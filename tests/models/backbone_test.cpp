// SPDX-License-Identifier: Apache-2.0
#include "freeatm/models/backbone.h"

#include <set>

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include "freeatm/models/image_normalize.h"
#include "freeatm/models/resnet.h"
#include "freeatm/models/vit.h"

namespace freeatm::models {
namespace {

TEST(ImageNormalize, IsTorchvisionsNormalize) {
  const at::Tensor pixels = at::arange(256).to(at::kByte).view({1, 256, 1, 1}).expand({1, 256, 1, 3});
  const at::Tensor mean = at::tensor({0.485, 0.456, 0.406}).view({1, 3, 1, 1}),
                   deviation = at::tensor({0.229, 0.224, 0.225}).view({1, 3, 1, 1});
  const at::Tensor expected = (pixels.permute({0, 3, 1, 2}).to(at::kFloat) / 255 - mean) / deviation;
  ImageNormalize normalized;
  EXPECT_LE((normalized(pixels) - expected).abs().max().item<double>(), 1e-6);
  EXPECT_LE((normalized(pixels, at::kDouble) - expected).abs().max().item<double>(), 1e-6) << "another type than last";
  EXPECT_EQ(normalized(pixels, at::kBFloat16).scalar_type(), at::kBFloat16);
}

TEST(DropPath, RatesRiseLinearlyOverTheBlocks) {
  EXPECT_EQ(rising_rates(5, 0.4), (std::vector<double>{0, 0.1, 0.2, 0.4 * 3 / 4, 0.4}));
  EXPECT_EQ(rising_rates(1, 0.4), std::vector<double>{0});
  const ResNet resnet({.depths = {1, 2}, .width = 2});
  EXPECT_EQ(resnet.path_rates(0.2), (std::vector<double>{0, 0.1, 0.2}));
  const ViT vit({.image_size = 8, .patch_size = 8, .dim = 4, .depth = 3, .heads = 1});
  EXPECT_EQ(vit.path_rates(0.2), (std::vector<double>{0, 0, 0.1, 0.1, 0.2, 0.2}));  // attention, MLP
}

TEST(DropPath, DropsWithItsRateAndKeepsTheMean) {
  const std::vector<double> rates = {0, 0.25, 0.6};
  constexpr int kDraws = 20000;
  std::vector<at::Tensor> draws;
  for (uint64_t i = 0; i < kDraws; ++i) draws.push_back(draw_path_scales(rates, RandomStream(1, "paths", 0, i)));
  const at::Tensor all = at::stack(draws), dropped = all.eq(0).to(at::kDouble).mean(0),
                   mean = all.to(at::kDouble).mean(0);
  for (int64_t i = 0; i < 3; ++i) {
    EXPECT_NEAR(dropped[i].item<double>(), rates[i], 0.02);  // six deviations
    EXPECT_NEAR(mean[i].item<double>(), 1, 0.06);
  }
  EXPECT_TRUE(draws[0].equal(draw_path_scales(rates, RandomStream(1, "paths", 0, 0))));
  EXPECT_NEAR(all.max().item<double>(), 1 / 0.4, 1e-6);
}

TEST(DropPath, ADroppedBranchAddsNothing) {
  ViT vit({.image_size = 16, .patch_size = 8, .dim = 8, .depth = 2, .heads = 2});
  vit.initialize(1);
  const at::Tensor images = at::ones({2, 3, 16, 16}), as_it_is = vit.forward(images);
  at::Tensor scales = at::ones({2, 4});
  EXPECT_LE((vit.forward(images, scales) - as_it_is).abs().max().item<double>(), 1e-6);
  scales[1].zero_();  // of the second picture all branches
  const at::Tensor dropped = vit.forward(images, scales);
  EXPECT_LE((dropped[0] - as_it_is[0]).abs().max().item<double>(), 1e-6);
  EXPECT_GT((dropped[1] - as_it_is[1]).abs().max().item<double>(), 1e-2);
  EXPECT_TRUE(vit.forward(images).equal(as_it_is));
}

}  // namespace
}  // namespace freeatm::models
