// SPDX-License-Identifier: Apache-2.0
// Steps that compute the finest levels alone, and drawings that end with the last step that is looked at.
#include <cmath>
#include <map>

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include "freeatm/diffusion/harvest.h"

#include "hash_folder.h"
#include "tensors.h"

namespace freeatm::diffusion {
namespace {

using testing::difference;

const Pipeline& small_pipeline() {
  static const testing::HashFolder folder("sd1_like");  // two levels: 8 x 8, and 4 x 4 with the mid block's attention
  static const Pipeline pipeline = Pipeline::load(folder.path(), at::kCPU, at::kFloat);
  return pipeline;
}

at::Tensor drawn(const SamplerOptions& options, models::AttentionProbe* probe = nullptr) {
  const Sampler sampler(small_pipeline(), options);
  return sampler.sample(sampler.encode({{"a dog"}}), std::vector<uint32_t>{4}, probe);
}

/// Whether each step computed the mid block, and how many rows the finest level had.
class Steps final : public models::AttentionProbe {
 public:
  bool wants(const models::AttentionSite& site) const override {
    if (site.block == models::Block::kMid) is_whole.back() = true;
    return site.block == models::Block::kUp;
  }
  void begin_step(int64_t, double) override {
    is_whole.push_back(false);
    rows.push_back(0);
  }
  void observe(const models::AttentionCall& call) override { rows.back() = call.query.size(0); }
  mutable std::vector<bool> is_whole;
  std::vector<int64_t> rows;
};

TEST(CacheInterval, DeepLevelsAreComputedAtEachSoManySteps) {
  Steps steps;
  const at::Tensor picture = drawn({.scheduler = "ddim", .steps = 5, .cache_interval = 2}, &steps);
  EXPECT_EQ(steps.is_whole, (std::vector{true, false, true, false, true}));
  EXPECT_EQ(steps.rows, (std::vector<int64_t>{2, 2, 2, 2, 2}));  // both halves of guidance
  const double change = difference(picture, drawn({.scheduler = "ddim", .steps = 5}));
  EXPECT_GT(change, 1e-4);
  EXPECT_LT(change, 0.2);
}

TEST(CacheInterval, AWholePassFollowsWhereGuidanceBeginsOrEnds) {
  Steps steps;
  const SamplerOptions middle{.scheduler = "ddim", .steps = 6, .guidance_interval = {160, 700}, .cache_interval = 3};
  drawn(middle, &steps);  // 831, 665, 499, 333, 167, 1
  EXPECT_EQ(steps.rows, (std::vector<int64_t>{1, 2, 2, 2, 2, 1}));
  EXPECT_EQ(steps.is_whole, (std::vector{true, true, false, false, true, true}));
  const auto calls = Sampler(small_pipeline(), middle).calls();
  ASSERT_EQ(calls.size(), 6u);
  for (size_t i = 0; i < calls.size(); ++i) {
    EXPECT_EQ(calls[i].is_whole, steps.is_whole[i]) << i;
    EXPECT_EQ(calls[i].is_guided, steps.rows[i] == 2) << i;
  }
}

TEST(CacheInterval, OfOneOrOfOneStepChangesNothing) {
  const at::Tensor picture = drawn({.scheduler = "ddim", .steps = 3});
  EXPECT_TRUE(at::equal(drawn({.scheduler = "ddim", .steps = 3, .cache_interval = 1, .cache_depth = 7}), picture));
  // Guidance that begins and ends at each step leaves nothing to reuse.
  const SamplerOptions last{.scheduler = "ddim", .steps = 2, .guidance_interval = {0, 100}};
  SamplerOptions cached = last;
  cached.cache_interval = 9;
  EXPECT_TRUE(at::equal(drawn(cached), drawn(last)));
}

TEST(CacheInterval, RefusesADepthThatLeavesNothing) {
  EXPECT_USER_ERROR(drawn({.cache_interval = 2, .cache_depth = 2}),
                    "sampler.cache_depth: 2 leaves no level to cache: this model has 2");
}

/// Attention of one picture over [height, width] cells, three tokens between start and end.
struct FakeCall {
  models::AttentionSite site;
  at::Tensor query, key;
  FakeCall(int64_t side, int number)
      : site{.layer = "up", .block = models::Block::kUp, .height = side, .width = side, .heads = 2, .is_cross = true},
        query(testing::hash_tensor(format("query {}", number), {1, 2, side * side, 4})),
        key(testing::hash_tensor(format("key {}", number), {1, 2, 5, 4})) {}
  void show(AttentionHarvester& harvester) const {
    if (harvester.wants(site)) harvester.observe({site, query, key, key, 0.5, at::eye(8), 0, 1});
  }
  at::Tensor map() const {  // alone: [3, side, side]
    AttentionHarvester harvester({.scales = {8 / site.height}}, 8, 8, {3});
    harvester.begin_step(0, 0);
    show(harvester);
    return harvester.maps().front();
  }
};

TEST(AttentionHarvester, AGridThatIsComputedAtFewerStepsCountsNoLess) {
  AttentionHarvester harvester({.scales = {1, 2}}, 8, 8, {3});
  const FakeCall fine[] = {{8, 0}, {8, 1}, {8, 2}}, coarse(4, 3);
  for (int step = 0; step < 3; ++step) {
    harvester.begin_step(step, 300 - step);
    fine[step].show(harvester);
    if (step == 0) coarse.show(harvester);
  }
  const at::Tensor of_fine = (fine[0].map() + fine[1].map() + fine[2].map()) / 3;
  const at::Tensor of_coarse = at::upsample_bilinear2d(coarse.map().unsqueeze(0), {8, 8}, false)[0];
  EXPECT_LE(difference(harvester.maps().front(), (of_fine + of_coarse) / 2), 1e-6);
}

TEST(AttentionHarvester, SaysThatWhatIsChosenWasComputedAtOtherStepsOnly) {
  const auto harvest = [](HarvestOptions harvest, bool with_self, int64_t interval) {
    const Sampler sampler(small_pipeline(), {.scheduler = "ddim", .steps = 4, .cache_interval = interval});
    const PromptBatch prompts = sampler.encode({{"a dog"}});
    harvest.timestep_max = 600;  // of 751, 501, 251, 1
    AttentionHarvester looking_on(harvest, 8, 8, prompts.token_counts(), with_self);
    sampler.sample(prompts, std::vector<uint32_t>{0}, &looking_on);
    if (with_self) looking_on.self_attention();
    return looking_on.maps().front();
  };
  EXPECT_USER_ERROR(harvest({.scales = {2}, .blocks = {"mid"}}, false, 4),
                    "it was not computed there: a smaller sampler.cache_interval");
  EXPECT_EQ(harvest({.scales = {2}, .blocks = {"mid"}}, false, 2).size(1), 4);
  EXPECT_USER_ERROR(harvest({.blocks = {"mid", "up"}, .self_scale = 2}, true, 4),
                    "has the grid 4 x 4; it was not computed there: a smaller sampler.cache_interval");
  EXPECT_EQ(harvest({.blocks = {"mid", "up"}, .self_scale = 2}, true, 2).size(1), 8);
  EXPECT_EQ(harvest({}, false, 4).size(1), 8);  // the finest level is always computed
}

TEST(OnlyMasks, EndsAtTheLastStepThatIsLookedAt) {
  for (const char* scheduler : {"ddim", "dpm++", "euler", "pndm"}) {
    SCOPED_TRACE(scheduler);
    const SamplerOptions all{.scheduler = scheduler, .steps = 6};
    SamplerOptions few = all;
    few.timestep_min = 300;
    const Sampler to_the_end(small_pipeline(), all), cut(small_pipeline(), few);
    const auto calls = cut.calls(), of_all = to_the_end.calls();
    EXPECT_FALSE(to_the_end.cut_at());
    ASSERT_LT(calls.size(), of_all.size());
    EXPECT_GE(calls.back().timestep, 300);
    EXPECT_LT(of_all[calls.size()].timestep, 300);
    EXPECT_EQ(cut.cut_at(), calls.back().timestep);
    Steps steps;
    const at::Tensor picture = drawn(few, &steps);
    EXPECT_EQ(steps.rows.size(), calls.size());
    EXPECT_TRUE(picture.isfinite().all().item<bool>());
    EXPECT_LT(difference(picture, drawn(all)), 0.5);
  }
}

// Where a run ends without noise its last step is just that.
TEST(OnlyMasks, WhatACallForeseesIsWhatALastStepGives) {
  for (const char* name : {"euler", "dpm++"}) {
    SCOPED_TRACE(name);
    const auto scheduler = make_scheduler(small_pipeline().folder + "/scheduler", name);
    const auto trajectory = scheduler->start(4);
    at::Tensor sample = testing::hash_tensor("sample", {1, 4, 8, 8}) * trajectory->initial_sigma(), foreseen;
    for (int64_t i = 0; i < 4; ++i) {
      const at::Tensor output = testing::hash_tensor(format("output {}", i), sample.sizes());
      foreseen = predicted_sample(scheduler->noise().prediction, output, trajectory->scale_input(i, sample),
                                  trajectory->alpha_bar(i));
      const at::Tensor next = trajectory->step(i, output, sample);
      if (i < 3) {
        EXPECT_GT(difference(foreseen, next), 0.01);
      }
      sample = next;
    }
    EXPECT_LE(difference(foreseen, sample), 1e-5 * sample.abs().max().item<double>());
  }
}

TEST(OnlyMasks, ForeseesTheCleanSampleOfAPerfectModel) {
  const at::Tensor clean = testing::hash_tensor("clean", {1, 4, 8, 8}),
                   noise = testing::hash_tensor("noise", {1, 4, 8, 8});
  for (const char* name : {"ddim", "dpm++", "euler", "pndm"}) {
    SCOPED_TRACE(name);
    const auto scheduler = make_scheduler(small_pipeline().folder + "/scheduler", name);
    const auto trajectory = scheduler->start(6);
    for (size_t i = 0; i < trajectory->timesteps().size(); ++i) {
      const double a = trajectory->alpha_bar(static_cast<int64_t>(i));
      const at::Tensor noisy = scheduler->add_noise(clean, noise, std::lround(trajectory->timesteps()[i]));
      const double allowed = name == std::string("euler") ? 2e-3 : 1e-5;  // its timesteps are no whole numbers
      EXPECT_LE(difference(noisy, std::sqrt(a) * clean + std::sqrt(1 - a) * noise), allowed);
    }
  }
  const double a = 0.3;
  const at::Tensor noisy = std::sqrt(a) * clean + std::sqrt(1 - a) * noise;
  EXPECT_LE(difference(predicted_sample(Prediction::kEpsilon, noise, noisy, a), clean), 1e-6);
  EXPECT_LE(difference(predicted_sample(Prediction::kSample, clean, noisy, a), clean), 1e-6);
  EXPECT_LE(
      difference(predicted_sample(Prediction::kVelocity, std::sqrt(a) * noise - std::sqrt(1 - a) * clean, noisy, a),
                 clean),
      1e-6);
}

TEST(OnlyMasks, IsNotedWithThePicture) {
  const text::PhraseFinder phrases({}, /*nouns=*/true);
  const std::vector<text::Caption> captions = {{.text = "a dog"}};
  HarvestRunOptions options{.count = 1, .sampler = {.scheduler = "ddim", .steps = 4}};
  const auto noted = [&] {
    std::map<std::string, double> numbers;
    const Harvested one =
        std::move(sampled_pictures(small_pipeline(), captions, phrases, options)->harvest(0, 1).front());
    for (const auto& [key, value] : one.provenance.sampler) {
      if (std::holds_alternative<double>(value)) numbers[key] = std::get<double>(value);
      if (std::holds_alternative<int64_t>(value)) numbers[key] = static_cast<double>(std::get<int64_t>(value));
    }
    return numbers;
  };
  EXPECT_EQ(noted(), (std::map<std::string, double>{{"steps", 4}, {"guidance_scale", 4}, {"eta", 0}}));
  options.harvest.only_masks = true, options.harvest.timestep_min = 200;
  options.sampler.cache_interval = 3;
  EXPECT_EQ(noted(), (std::map<std::string, double>{{"steps", 4},
                                                    {"guidance_scale", 4},
                                                    {"eta", 0},
                                                    {"cache_interval", 3},
                                                    {"cache_depth", 1},
                                                    {"last_timestep", 251}}));
  options.harvest.timestep_min = 0;
  ::testing::internal::CaptureStderr();
  EXPECT_FALSE(noted().contains("last_timestep"));
  const std::string said = ::testing::internal::GetCapturedStderr();
  EXPECT_TRUE(testing::contains(said, "harvest.only_masks leaves out no step: none is below harvest.timestep_min=0"))
      << said;
}

}  // namespace
}  // namespace freeatm::diffusion
