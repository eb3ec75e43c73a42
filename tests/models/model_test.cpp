// SPDX-License-Identifier: Apache-2.0
#include "freeatm/models/model.h"

#include <ATen/ATen.h>

#include "freeatm/core/files.h"
#include "freeatm/models/vit.h"

#include "testing.h"

namespace freeatm::models {
namespace {

ModelOptions read_model(const std::string& yaml) {
  const testing::TemporaryFolder folder;
  write_file(folder / "model.yaml", yaml);
  return config::read<ModelOptions>({.command = "test", .tree = config::load_yaml((folder / "model.yaml").string())});
}

const std::string kSmallViT = "name: vit\nimage_size: 16\npatch_size: 8\ndim: 8\ndepth: 2\nheads: 2\n";

TEST(ModelOptions, MakeTheModelOfTheirName) {
  const ModelOptions resnet = read_model("name: resnet\ndepths: [1, 1]\nwidth: 8\nstem: 3x3\n"),
                     vit = read_model(kSmallViT);
  EXPECT_EQ(resnet.make(1)->levels(), (std::vector<LevelShape>{{8, 2}, {16, 4}}));
  EXPECT_EQ(vit.make(1)->levels(), (std::vector<LevelShape>{{8, 8}}));
  const auto first = vit.make(1), same = vit.make(1), other = vit.make(2);
  EXPECT_TRUE(first->parameters().back().equal(same->parameters().back()));
  EXPECT_FALSE(first->named_parameters()["pos_embed"].equal(other->named_parameters()["pos_embed"]));
  EXPECT_USER_ERROR(read_model("name: swin\n"), "name");
  EXPECT_USER_ERROR(read_model("name: resnet\ndepth: 2\n"), "depth");
  EXPECT_EQ(make_architecture("swin"), nullptr);
}

TEST(ModelOptions, ACopyHasOptionsOfItsOwn) {
  const ModelOptions model = read_model(kSmallViT);
  ModelOptions larger = model;
  larger.fit_to_pictures(64, "size");
  EXPECT_EQ(config::dump(model).find("image_size")->text(), "16");
  EXPECT_EQ(config::dump(larger).find("image_size")->text(), "64");
  EXPECT_EQ(model.make(1)->named_parameters()["pos_embed"].size(1), 1 + 2 * 2);
  EXPECT_EQ(larger.make(1)->named_parameters()["pos_embed"].size(1), 1 + 8 * 8);
}

TEST(ModelOptions, FitWhereTheModelCares) {
  ModelOptions resnet, vit = read_model(kSmallViT + "freeze_patch_embed: true\n"),
                       without = read_model(kSmallViT + "class_token: false\nglobal_pool: avg\n");
  resnet.fit_to_pictures(33, "size");
  EXPECT_USER_ERROR(vit.fit_to_pictures(33, "size"), "size: 33 is no multiple of the model's patch_size 8");
  resnet.prepare_finetuning({});
  EXPECT_USER_ERROR(resnet.prepare_finetuning("avg"), "global_pool: a resnet has no pooling but its mean");
  vit.prepare_finetuning("avg");
  EXPECT_TRUE(vit.make(1)->named_parameters().contains("fc_norm.weight"));
  EXPECT_TRUE(vit.make(1)->named_parameters()["patch_embed.proj.weight"].requires_grad());
  EXPECT_USER_ERROR(without.prepare_finetuning("token"), "global_pool: token needs a class token");
}

}  // namespace
}  // namespace freeatm::models
