// SPDX-License-Identifier: Apache-2.0
// DDIM against diffusers (values: scripts/baselines/schedulers.py), and properties that need no reference.
#include "freeatm/diffusion/ddim.h"

#include <ATen/ATen.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "freeatm/core/files.h"
#include "freeatm/weights/safetensors.h"

#include "testing.h"

namespace freeatm::diffusion {
namespace {

double difference(const at::Tensor& a, const at::Tensor& b) { return (a - b).abs().max().item<double>(); }

const weights::Safetensors& expected() {
  static const auto file = weights::load_safetensors(testing::test_file("diffusion/data/ddim.safetensors"));
  return file;
}

DdimOptions options_of(const nlohmann::json& config) {
  const testing::TemporaryFolder folder;
  const std::string path = (folder / "scheduler_config.json").string();
  write_file(path, config.dump());
  return DdimOptions::from_config(path);
}

// The same stand-in for a model as in the script.
at::Tensor model(const at::Tensor& sample, double timestep) {
  return at::sin(3 * sample) * 0.5 + sample * (timestep / 1000) + 0.1;
}

TEST(Ddim, EqualsDiffusersOverAWholeRun) {
  ASSERT_EQ(expected().metadata.size(), 6u);
  for (const auto& [name, text] : expected().metadata) {
    const auto tensor = [&](const std::string& key) { return expected().tensors.at(name + "." + key); };
    const auto run = nlohmann::json::parse(text);
    const Ddim ddim(options_of(run["config"]));
    const int64_t steps = run["steps"];
    const auto trajectory = ddim.start(steps, run["eta"]);
    const at::Tensor samples = tensor("samples");
    at::Tensor sample = samples[0];
    for (int64_t i = 0; i < steps; ++i) {
      const double timestep = trajectory->timesteps()[i];
      EXPECT_EQ(timestep, tensor("timesteps")[i].item<double>()) << name;
      const at::Tensor noise = trajectory->is_stochastic() ? tensor("noises")[i] : at::Tensor();
      sample = trajectory->step(i, model(sample, timestep), trajectory->scale_input(i, sample), noise);
      EXPECT_LE(difference(sample, samples[i + 1]), 1e-5 * samples[i + 1].abs().max().item<double>())
          << name << ", step " << i;
    }
    EXPECT_LE(difference(ddim.add_noise(samples[0], samples[-1], 300), tensor("noised")), 1e-5) << name;
  }
}

TEST(Ddim, TrailingTimestepsEqualDiffusersForEveryNumberOfSteps) {
  const Ddim ddim(options_of({{"timestep_spacing", "trailing"}}));
  const at::Tensor sums = expected().tensors.at("trailing_sums");
  for (int64_t steps = 1; steps <= 1000; ++steps) {
    const auto run = ddim.start(steps);
    double sum = 0;
    for (const double timestep : run->timesteps()) sum += timestep;
    // Where 1000 / steps is rounded downwards, diffusers appends a step too many, at timestep -1.
    const bool one_too_many = sums[steps - 1][0].item<int64_t>() == steps + 1;
    ASSERT_EQ(sum, sums[steps - 1][1].item<double>() + (one_too_many ? 1 : 0)) << steps;
  }
}

TEST(Ddim, PredictionWithoutErrorGivesTheCleanPictureBackInOneStep) {
  for (const char* prediction : {"epsilon", "v_prediction", "sample"}) {
    const Ddim ddim(
        options_of({{"clip_sample", false}, {"timestep_spacing", "trailing"}, {"prediction_type", prediction}}));
    const at::Tensor picture = at::linspace(-1, 1, 24).view({1, 1, 4, 6}), noise = at::cos(9 * picture);
    const double a = ddim.noise().alphas_cumprod()[999];
    const std::map<std::string, at::Tensor> perfect = {
        {"epsilon", noise}, {"v_prediction", std::sqrt(a) * noise - std::sqrt(1 - a) * picture}, {"sample", picture}};
    const at::Tensor noisy = ddim.add_noise(picture, noise, 999);
    EXPECT_LE(difference(ddim.start(1)->step(0, perfect.at(prediction), noisy), picture), 1e-4)
        << prediction;  // a(999) is 4e-5
  }
}

TEST(Ddim, RefusesWhatItCannotDo) {
  const DdimOptions defaults;
  EXPECT_USER_ERROR(Ddim(defaults).start(1001), "1001 is not in [1, 1000]");
  EXPECT_USER_ERROR(Ddim(defaults).start(0), "0 is not in [1, 1000]");
  EXPECT_USER_ERROR(Ddim(options_of({{"steps_offset", 1}})).start(1000), "steps_offset 1");
  EXPECT_USER_ERROR(options_of({{"thresholding", true}}), "thresholding");
  EXPECT_USER_ERROR(options_of({{"rescale_betas_zero_snr", true}}), "rescale_betas_zero_snr");
  EXPECT_USER_ERROR(options_of({{"prediction_type", "flow"}}), "'flow' is not epsilon, v_prediction or sample");
  EXPECT_USER_ERROR(options_of({{"timestep_spacing", "linspace"}}), "'linspace' is not leading or trailing");
  EXPECT_USER_ERROR(options_of({{"beta_schedule", "cosine"}}), "beta_schedule");
}

TEST(MakeScheduler, NamesTheClassesItKnows) {
  const testing::TemporaryFolder folder;
  EXPECT_USER_ERROR(make_scheduler(folder.path().string()), "scheduler_config.json");
  write_file(folder / "scheduler_config.json", R"({"_class_name": "PNDMScheduler"})");
  EXPECT_USER_ERROR(make_scheduler(folder.path().string()), "'PNDMScheduler' is not DDIMScheduler");
  write_file(folder / "scheduler_config.json", R"({"_class_name": "DDIMScheduler"})");
  EXPECT_EQ(make_scheduler(folder.path().string())->start(10)->timesteps()[0], 900);
}

}  // namespace
}  // namespace freeatm::diffusion
