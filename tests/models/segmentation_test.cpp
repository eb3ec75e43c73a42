// SPDX-License-Identifier: Apache-2.0
// Segmenters against torchvision and transformers (values: scripts/baselines/segmentation.py).
#include <cmath>

#include "freeatm/models/resnet.h"
#include "freeatm/models/segmentation/segmenter.h"
#include "freeatm/models/vit.h"
#include "freeatm/weights/load.h"

#include "models/cases.h"
#include "testing.h"

namespace freeatm::models {
namespace {

constexpr int64_t kNumLabels = 5, kImageHeight = 64, kImageWidth = 96;

std::shared_ptr<Segmenter> segmenter_like(const std::string& name) {
  SegmenterOptions options{.head = "upernet", .channels = 24, .dropout = 0, .auxiliary_channels = 16};
  std::shared_ptr<Backbone> backbone;
  if (name == "fcn") {
    options = {.head = "fcn", .dropout = 0};
    backbone =
        std::make_shared<ResNet>(ResNetOptions{.depths = {3, 4, 6, 3}, .block = "bottleneck", .output_stride = 8});
  } else if (name == "upernet") {
    backbone = std::make_shared<ResNet>(ResNetOptions{});
  } else {
    backbone = std::make_shared<ViT>(ViTOptions{.image_size = 64, .patch_size = 8, .dim = 32, .depth = 6, .heads = 2});
  }
  return std::make_shared<Segmenter>(std::move(backbone), kNumLabels, options, 0);
}

at::Tensor images() { return testing::hash_tensor("images", {2, 3, kImageHeight, kImageWidth}).to(at::kDouble); }

/// 0 to 4 and, as often, nothing.
at::Tensor labels() {
  at::Tensor labels = (at::arange(2 * kImageHeight * kImageWidth).floor_divide(37) % (kNumLabels + 1))
                          .view({2, kImageHeight, kImageWidth});
  return labels.masked_fill(labels == kNumLabels, 255);
}

at::Tensor pixel_entropy(const at::Tensor& logits) {
  return at::cross_entropy_loss(logits, labels(), {}, at::Reduction::Mean, 255);
}

class SegmenterAgainstReference : public ::testing::TestWithParam<std::string> {
 protected:
  const testing::Case reference = testing::case_named("segmentation", GetParam());
  std::shared_ptr<Segmenter> model = segmenter_like(GetParam());

  void SetUp() override {
    testing::fill_by_fan_in(*model);
    model->to(at::kDouble);
  }
};

TEST_P(SegmenterAgainstReference, SeesTheSame) {
  const at::NoGradGuard no_grad;
  model->eval();
  const auto logits = model->forward(images());
  EXPECT_EQ(logits.out.sizes(), (std::vector<int64_t>{2, kNumLabels, kImageHeight, kImageWidth}));
  EXPECT_LE(testing::worst(logits.out, reference.values.at("logits")), 1e-9);
  EXPECT_FALSE(logits.auxiliary.defined());
}

TEST_P(SegmenterAgainstReference, LearnsTheSame) {
  model->train();
  const auto logits = model->forward(images());
  const at::Tensor out = pixel_entropy(logits.out), auxiliary = pixel_entropy(logits.auxiliary);
  EXPECT_NEAR(out.item<double>(), reference.number("out"), 1e-9);
  EXPECT_NEAR(auxiliary.item<double>(), reference.number("aux"), 1e-9);
  (out + 0.4 * auxiliary).backward();
  EXPECT_LE(testing::worst_gradient(*model, {}, reference.values.at("gradients")), 1e-6);
}

TEST_P(SegmenterAgainstReference, HasItsNamesAndShapes) {
  const auto table = nlohmann::json::parse(read_file(testing::test_file("models/data/segmentation_names.json")));
  std::map<std::string, std::vector<int64_t>> own, theirs;
  for (const auto& [name, tensor] : weights::module_state(*model)) own[name] = tensor.sizes().vec();
  for (const auto& [name, shape] : table.at(GetParam()).items()) theirs[name] = shape.get<std::vector<int64_t>>();
  EXPECT_EQ(own, theirs);
}

INSTANTIATE_TEST_SUITE_P(Models, SegmenterAgainstReference, ::testing::Values("fcn", "upernet", "upernet_vit"),
                         [](const auto& info) { return info.param; });

TEST(Segmenter, IsAFunctionOfItsSeed) {
  const auto head_of = [](uint64_t seed) {
    auto backbone = std::make_shared<ResNet>(ResNetOptions{.depths = {1, 1}, .width = 8});
    const Segmenter model(std::move(backbone), kNumLabels, {.channels = 8, .auxiliary_channels = 8}, seed);
    return model.named_parameters()["decode_head.fpn_bottleneck.conv.weight"].clone();
  };
  EXPECT_TRUE(at::equal(head_of(3), head_of(3)));
  EXPECT_FALSE(at::equal(head_of(3), head_of(4)));
}

TEST(Segmenter, ALinearHeadTakesTheLastLevelOfAnyBackbone) {
  const SegmenterOptions options{.head = "linear"};
  Segmenter resnet(std::make_shared<ResNet>(ResNetOptions{.depths = {1, 1}, .width = 8}), kNumLabels, options, 0);
  Segmenter vit(std::make_shared<ViT>(ViTOptions{.image_size = 32, .patch_size = 8, .dim = 16, .depth = 1, .heads = 2}),
                kNumLabels, options, 0);
  for (Segmenter* model : {&resnet, &vit}) {
    const auto logits = model->forward(at::zeros({2, 3, 32, 48}));
    EXPECT_EQ(logits.out.sizes(), (std::vector<int64_t>{2, kNumLabels, 32, 48}));
    EXPECT_FALSE(logits.auxiliary.defined());
  }
}

TEST(Segmenter, AnAuxiliaryHeadNeedsASecondLevel) {
  const auto backbone = std::make_shared<ResNet>(ResNetOptions{.depths = {1}, .width = 8});
  EXPECT_USER_ERROR(Segmenter(backbone, kNumLabels, {.head = "fcn"}, 0),
                    "objective.auxiliary: true needs a backbone of");
}

}  // namespace
}  // namespace freeatm::models
