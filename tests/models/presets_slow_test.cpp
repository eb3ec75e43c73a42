// SPDX-License-Identifier: Apache-2.0
// Every model of configs/model trains: a step forward and one back, on small pictures.
#include <set>

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include "freeatm/config/fields.h"
#include "freeatm/core/files.h"
#include "freeatm/models/model.h"

#include "testing.h"

namespace freeatm::models {
namespace {

TEST(Presets, GoForwardAndBack) {
  std::set<std::string> seen;
  for (const auto& file : fs::directory_iterator(testing::source_file("configs/model"))) {
    const std::string name = file.path().stem().string();
    SCOPED_TRACE(name);
    const auto model =
        config::read<ModelOptions>({.command = "test", .tree = config::load_yaml(file.path().string())}).make(1);
    const at::Tensor images = at::linspace(-1, 1, 2 * 3 * 64 * 64).view({2, 3, 64, 64});
    const Features both = model->features(images);
    EXPECT_EQ(both.pooled.sizes(), (std::vector<int64_t>{2, model->channels()}));
    EXPECT_EQ(both.grid.size(1), model->channels());
    (both.pooled.square().sum() + both.grid.square().sum()).backward();
    int64_t learning = 0;
    for (const auto& item : model->named_parameters()) {
      if (!item.value().requires_grad()) continue;
      ASSERT_TRUE(item.value().grad().defined()) << item.key();
      EXPECT_TRUE(item.value().grad().isfinite().all().item<bool>()) << item.key();
      learning += item.value().grad().abs().max().item<double>() > 0;
    }
    EXPECT_GT(learning, 10);
    seen.insert(name);
  }
  for (const char* name : {"resnet10_nano", "resnet18", "resnet34", "resnet50", "vit_nano", "vit_tiny", "vit_small",
                           "vit_base", "clip_vit_b16", "clip_vit_b32"})
    EXPECT_TRUE(seen.contains(name)) << name;
}

}  // namespace
}  // namespace freeatm::models
