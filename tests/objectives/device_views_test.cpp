// SPDX-License-Identifier: Apache-2.0
// objective.augment_on=device: the batch that a loader plans is, once its views are made, the one that it makes itself.
#include <ATen/ATen.h>

#include "freeatm/data/planned_views.h"

#include "steps.h"

namespace freeatm::objectives {
namespace {

using Make = std::function<std::shared_ptr<training::Objective>(const std::string& augment_on)>;

data::Sample sample_with_another_background(int64_t index) {
  data::Sample sample = captioned_sample(index);
  sample.swapped = vision::Image(sample.image.height, sample.image.width);  // black
  return sample;
}

void expect_the_same(const Make& make, data::Sample (*sample)(int64_t) = captioned_sample) {
  const StepCase one{.name = "", .make = {}, .sample = sample};
  const data::Batch loaders = batch_of(*make("loader"), one, 12);
  data::Batch batch = batch_of(*make("device"), one, 12);
  EXPECT_FALSE(batch.planned.empty());
  data::make_views(batch);
  EXPECT_EQ(batch.tensors.size(), loaders.tensors.size());
  for (const auto& [name, expected] : loaders.tensors) {
    const at::Tensor apart = batch[name].to(at::kDouble) - expected.to(at::kDouble);
    EXPECT_LE(apart.abs().max().item<double>(), name.starts_with("view") ? 1 : 0) << name;
  }
  for (const auto& [name, expected] : loaders.ragged)
    EXPECT_TRUE(batch.ragged.at(name).values.equal(expected.values)) << name;
}

TEST(DeviceViews, OfContrastiveLearning) {
  for (const char* background : {"keep", "swap"}) {
    expect_the_same(
        [&](const std::string& augment_on) {
          ContrastiveOptions common = small_contrastive("pooled");
          common.augment_on = augment_on;
          common.background = background;
          common.second_view = {0.1, 0.2};
          return std::make_shared<SimClr>(testing::nano_backbone(1), SimClrOptions{.common = common}, 3);
        },
        background == std::string("swap") ? sample_with_another_background : captioned_sample);
  }
}

TEST(DeviceViews, OfMaskedModelling) {
  expect_the_same([](const std::string& augment_on) {
    MaskedOptions options = of_32_pixels();
    options.augment_on = augment_on;
    return make("mae", options);
  });
}

TEST(DeviceViews, OfCaptionedPictures) {
  expect_the_same([](const std::string& augment_on) -> std::shared_ptr<training::Objective> {
    VisionLanguageOptions options = small_options();
    options.regions = "contrast";
    options.augment.jitter_probability = options.augment.grayscale_probability = 0.5;
    options.augment_on = augment_on;
    return small_objective(options);
  });
}

}  // namespace
}  // namespace freeatm::objectives
