// SPDX-License-Identifier: Apache-2.0
// MAE and SimMIM against PyTorch scripts (values: scripts/baselines/masked.py), and what a loader gives them.
#include "freeatm/objectives/masked/masked.h"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include "freeatm/models/resnet.h"
#include "freeatm/weights/load.h"

#include "masked_models.h"
#include "models/hash_weights.h"
#include "nano.h"
#include "tensors.h"
#include "testing.h"

namespace freeatm::objectives {
namespace {

using testing::relative_difference;

data::Batch masked_batch() {
  data::Batch batch;
  batch.size = 3;
  batch.tensors["image"] = stored_masked().at("pixels");
  batch.tensors["hidden"] = stored_masked().at("hidden");
  batch.tensors["foreground"] = stored_masked().at("foreground");
  batch.tensors["things"] = at::ones({3, 2});
  batch.tensors["lacks_hints"] = at::zeros({3});
  return batch;
}

class MaskedAgainstPyTorch : public ::testing::TestWithParam<std::string> {
 protected:
  std::shared_ptr<Masked> make_objective() const {
    MaskedOptions common = of_32_pixels();
    MaeOptions mae;
    if (GetParam() == "mae_pixels" || GetParam() == "simmim_weighted") common.foreground_weight = 3;
    if (GetParam() == "mae_pixels") mae.normalise_target = false;
    if (GetParam() == "mae_authors") mae.target_pixels = "imagenet", mae.target_eps = 1e-6;
    auto objective = make(GetParam(), common, mae);
    testing::fill_with_hash(*objective, 0.2F);
    objective->to(at::kDouble);
    return objective;
  }
  const at::Tensor& expected(const std::string& name) const { return stored_masked().at(GetParam() + "." + name); }
  static at::Tensor every_97th(const at::Tensor& tensor) {
    return tensor.detach().flatten().slice(0, 0, std::nullopt, 97);
  }
};

TEST_P(MaskedAgainstPyTorch, GivesTheSameLossPredictionsAndGradients) {
  const auto objective = make_objective();
  const training::Losses losses = objective->losses(masked_batch());
  ASSERT_EQ(losses.terms.size(), 1U);
  EXPECT_NEAR(losses.terms[0].value.item<double>() / expected("loss").item<double>(), 1, 1e-7);
  const auto both = objective->reconstruct(stored_masked().at("pixels"), stored_masked().at("hidden"));
  EXPECT_LT(relative_difference(every_97th(both.predicted), expected("predicted")), 1e-5);
  losses.total().backward();
  int64_t compared = 0;
  for (const auto& item : objective->named_parameters()) {
    if (!item.value().grad().defined()) continue;
    EXPECT_LT(relative_difference(every_97th(item.value().grad()), expected("grad." + item.key())), 1e-5) << item.key();
    ++compared;
  }
  EXPECT_EQ(compared, std::ranges::count_if(stored_masked(), [](const auto& entry) {
              return entry.first.starts_with(GetParam() + ".grad.");
            }));
}

INSTANTIATE_TEST_SUITE_P(Methods, MaskedAgainstPyTorch,
                         ::testing::Values("mae", "mae_authors", "mae_pixels", "simmim", "simmim_weighted"),
                         [](const auto& info) { return info.param; });

TEST(Mae, NormalisesByTheUnbiasedVarianceAndLeavesFlatPatchesFlat) {
  const auto mae = make("mae", of_32_pixels());
  at::Tensor pixels = at::full({1, 32, 32, 3}, 77, at::kByte);
  const at::Tensor hidden = stored_masked().at("hidden").slice(0, 0, 1);
  EXPECT_LT(mae->reconstruct(pixels, hidden).target.abs().max().item<double>(), 1e-4);
  pixels += at::randint(0, 2, pixels.sizes(), at::kByte);  // one step of 255 is no texture
  EXPECT_LT(mae->reconstruct(pixels, hidden).target.abs().max().item<double>(), 0.25);
}

data::View masked_view(const Masked& objective, uint64_t index, data::Sample sample, double progress = 0) {
  RandomStream random(1, "view", 0, index);
  return objective.prepare(std::move(sample), random, progress);
}

TEST(Masked, GammaOfZeroIsTheRandomBaselineBitForBit) {
  MaskedOptions guided = of_32_pixels();
  guided.masking.masking = "guided";
  guided.masking.gamma = {.from = 0, .to = 0};
  MaskedOptions often = guided;
  often.masking.gamma = {.from = -6, .to = 6};
  const auto random = make("mae", of_32_pixels()), same = make("mae", guided), moved = make("mae", often);
  double early = 0, late = 0;
  for (uint64_t i = 0; i < 50; ++i) {
    const data::View a = masked_view(*random, i, picture_with_thing()), b = masked_view(*same, i, picture_with_thing());
    for (const char* name : {"image", "hidden", "foreground"}) EXPECT_TRUE(a.at(name).equal(b.at(name))) << name;
    EXPECT_EQ(a.at("hidden").sum().item<int64_t>(), 12);
    const auto share = [&](double progress) {
      const data::View view = masked_view(*moved, i, picture_with_thing(), progress);
      return (view.at("hidden") * view.at("foreground")).sum().item<double>();
    };
    early += share(0), late += share(1);
  }
  EXPECT_LT(early, 0.8 * late) << "gamma rises over the run";
}

TEST(Masked, UnitsOfPatchesAreHiddenTogether) {
  MaskedOptions options = of_32_pixels();
  options.mask_unit = 2;
  options.masking.mask_ratio = 0.5;
  const auto simmim = make("simmim", options);
  const at::Tensor hidden = masked_view(*simmim, 0, picture_with_thing()).at("hidden").view({2, 2, 2, 2});
  EXPECT_TRUE(hidden.amax({1, 3}).equal(hidden.amin({1, 3})));
  EXPECT_EQ(hidden.sum().item<int64_t>(), 8);
}

TEST(Masked, RefusesWhatDoesNotFit) {
  MaskedOptions options = of_32_pixels();
  options.size = 36;
  EXPECT_USER_ERROR(make("mae", options), "objective.size: 36 is no multiple of 8");
  options = of_32_pixels();
  options.masking.hints = 5;
  EXPECT_USER_ERROR(make("mae", options), "objective.hints: 5 for one thing alone, where 4 of 16 patches are visible");
  EXPECT_USER_ERROR(SimMim(testing::nano_backbone(1), {.common = of_32_pixels()}, 1), "model: is no ViT");
  options = of_32_pixels();
  options.masking.masking = "guided";
  data::Sample bare = picture_with_thing();
  bare.regions.clear();
  EXPECT_USER_ERROR(masked_view(*make("mae", options), 0, bare), "x: data.root: the picture has no masks");
  options.allow_missing = true;
  EXPECT_EQ(masked_view(*make("mae", options), 0, bare).at("things").sum().item<double>(), 0);
}

}  // namespace
}  // namespace freeatm::objectives
