// SPDX-License-Identifier: Apache-2.0
// The ViTs of configs/model against timm's of that name, whole (values: scripts/baselines/vit.py).
#include <ATen/ATen.h>

#include "freeatm/models/model.h"

#include "models/backbone_cases.h"
#include "testing.h"

namespace freeatm::models {
namespace {

class WholeViT : public ::testing::TestWithParam<std::string> {};

TEST_P(WholeViT, GivesTimmsFeaturesAndGradients) {
  const testing::Case reference = testing::case_named("vit_whole", GetParam());
  const std::string config = testing::source_file("configs/model/" + GetParam() + ".yaml");
  const auto model = config::read<ModelOptions>({.command = "test", .tree = config::load_yaml(config)}).make(1);
  testing::fill_with_hash(*model, 0.05f);
  const at::Tensor features = model->forward(testing::images_of(reference));
  EXPECT_LE(testing::worst(features, reference.values.at("features")), 1e-5);
  (features * testing::hash_tensor("loss", features.sizes())).sum().backward();
  EXPECT_LE(testing::worst_gradient(*model, {}, reference.values.at("gradients")), 1e-5);
}

INSTANTIATE_TEST_SUITE_P(Models, WholeViT, ::testing::Values("vit_tiny", "vit_small", "vit_base"),
                         [](const auto& info) { return info.param; });

}  // namespace
}  // namespace freeatm::models
