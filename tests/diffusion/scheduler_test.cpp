// SPDX-License-Identifier: Apache-2.0
// Every scheduler against diffusers (values: scripts/baselines/schedulers.py), and properties that need no reference.
#include "freeatm/diffusion/scheduler.h"

#include <map>

#include <ATen/ATen.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "freeatm/core/files.h"
#include "freeatm/diffusion/ddim.h"
#include "freeatm/weights/safetensors.h"

#include "models/hash_weights.h"
#include "tensors.h"
#include "testing.h"

namespace freeatm::diffusion {
namespace {

using nlohmann::json;
using testing::difference;

const weights::Safetensors& expected() {
  static const auto file = weights::load_safetensors(testing::test_file("diffusion/data/schedulers.safetensors"));
  return file;
}

std::unique_ptr<Scheduler> scheduler_of(const json& config, const std::optional<std::string>& name = {},
                                        double eta = 0) {
  const testing::TemporaryFolder folder;
  write_file(folder / "scheduler_config.json", config.dump());
  return make_scheduler(folder.path().string(), name, eta);
}

// DDIM as its file says, without what StableDiffusionPipeline overrules.
std::unique_ptr<Scheduler> plain_ddim(const json& config, double eta = 0) {
  const testing::TemporaryFolder folder;
  write_file(folder / "scheduler_config.json", config.dump());
  DdimOptions options = DdimOptions::from_config((folder / "scheduler_config.json").string());
  options.eta = eta;
  return std::make_unique<Ddim>(options);
}

// The same stand-ins for model and noise as in the script.
at::Tensor model(const at::Tensor& sample, double timestep) {
  return at::sin(3 * sample) * 0.5 + sample * (timestep / 1000) + 0.1;
}
at::Tensor tensor(const std::string& name) { return testing::hash_tensor(name, {1, 1, 2, 3}); }

void expect_same_run(const Scheduler& scheduler, int64_t steps, const std::string& name) {
  const auto stored = [&](const char* what) { return expected().tensors.at(name + "." + what); };
  const auto run = scheduler.start(steps);
  const at::Tensor timesteps = stored("timesteps"), samples = stored("samples");
  ASSERT_EQ(static_cast<int64_t>(run->timesteps().size()), timesteps.size(0)) << name;
  EXPECT_NEAR(run->initial_sigma(), stored("sigma").item<double>(), 1e-6 * run->initial_sigma()) << name;
  at::Tensor sample = tensor("start") * run->initial_sigma();
  // What fp32 rounds off the noise of the start stays to the end; with zero terminal SNR Euler's is 4096 times the
  // picture.
  const double rounding = 1.2e-7 * run->initial_sigma();
  for (int64_t i = 0; i < timesteps.size(0); ++i) {
    const double timestep = run->timesteps()[i];
    ASSERT_NEAR(timestep, timesteps[i].item<double>(), 1e-4) << name << ", call " << i;
    const at::Tensor output = model(run->scale_input(i, sample), timestep);
    sample = run->step(i, output, sample, run->is_stochastic() ? tensor(format("noise.{}", i)) : at::Tensor());
    ASSERT_LE(difference(sample, samples[i]), 1e-5 * samples[i].abs().max().item<double>() + rounding)
        << name << ", call " << i;
  }
}

TEST(Schedulers, EqualDiffusersOverWholeRuns) {
  ASSERT_EQ(expected().metadata.size(), 64u);
  for (const auto& [name, text] : expected().metadata) {
    const json run = json::parse(text);
    const json& config = run["config"];
    const auto scheduler =
        config["_class_name"] == "DDIMScheduler" ? plain_ddim(config, run["eta"]) : scheduler_of(config);
    for (const int64_t steps : run["steps"]) expect_same_run(*scheduler, steps, format("{}.{}", name, steps));
  }
}

const json kBetas = {
    {"beta_start", 0.00085}, {"beta_end", 0.012}, {"beta_schedule", "scaled_linear"}, {"steps_offset", 1}};

json config_of(const std::string& class_name, const json& more = json::object()) {
  json config = kBetas;
  config["_class_name"] = class_name;
  config.update(more);
  return config;
}

TEST(Schedulers, NoisePicturesAsDiffusersDoes) {
  for (const char* name : {"DDIMScheduler", "PNDMScheduler", "EulerDiscreteScheduler", "DPMSolverMultistepScheduler"}) {
    const auto scheduler = scheduler_of(config_of(name));
    const at::Tensor noised = expected().tensors.at(std::string("noised.") + name);
    int64_t i = 0;
    for (const int64_t timestep : {0, 300, 999}) {
      const at::Tensor ours = scheduler->add_noise(tensor("start"), tensor("noise.0"), timestep);
      EXPECT_LE(difference(ours, noised[i++]), 1e-6) << name << " at " << timestep;
    }
  }
}

TEST(Schedulers, HaveDiffusersTimestepsForEveryNumberOfSteps) {
  for (const char* name : {"DDIMScheduler", "DPMSolverMultistepScheduler"}) {
    for (const char* spacing : {"leading", "linspace", "trailing"}) {
      const auto scheduler = scheduler_of(config_of(name, {{"timestep_spacing", spacing}}));
      const at::Tensor sums = expected().tensors.at(format("sums.{}.{}", name, spacing));
      for (int64_t steps = 1; steps <= 998; ++steps) {
        double sum = 0;
        const auto run = scheduler->start(steps);
        for (const double timestep : run->timesteps()) sum += timestep;
        // Where 1000 / steps is rounded downwards, diffusers appends a trailing step too many, at timestep -1.
        const bool one_too_many = sums[steps - 1][0].item<int64_t>() == steps + 1;
        ASSERT_EQ(sum, sums[steps - 1][1].item<double>() + (one_too_many ? 1 : 0)) << name << spacing << steps;
      }
    }
  }
}

// A model that always tells the truth about one picture leads back to it, whatever the method.
TEST(Schedulers, APredictionWithoutErrorGivesTheCleanPictureBack) {
  const at::Tensor picture = tensor("picture");
  for (const std::string& name : scheduler_names()) {
    for (const char* prediction : {"epsilon", "v_prediction"}) {
      const auto scheduler = scheduler_of(
          config_of("", {{"prediction_type", prediction}, {"skip_prk_steps", true}, {"set_alpha_to_one", true}}), name);
      const auto alphas = scheduler->noise().alphas_cumprod();
      const auto run = scheduler->start(30);
      at::Tensor sample = run->initial_sigma() * tensor("start");
      for (size_t i = 0; i < run->timesteps().size(); ++i) {
        const at::Tensor input = run->scale_input(static_cast<int64_t>(i), sample);
        const double a = alphas[std::lround(run->timesteps()[i])];
        const at::Tensor eps = (input - std::sqrt(a) * picture) / std::sqrt(1 - a);
        const bool velocity = std::string(prediction) == "v_prediction";
        sample = run->step(i, velocity ? std::sqrt(a) * eps - std::sqrt(1 - a) * picture : eps, sample);
      }
      // Euler's timesteps lie between two trained ones, and PNDM extrapolates outputs of other timesteps.
      const double tolerance = name == "euler" || name == "pndm" ? 0.02 : 1e-4;
      EXPECT_LE(difference(sample, picture), tolerance) << name << ", " << prediction;
    }
  }
}

TEST(Schedulers, ZeroTerminalSnrLeavesNothingOfThePicture) {
  const auto scheduler = plain_ddim({{"_class_name", "DDIMScheduler"}, {"rescale_betas_zero_snr", true}});
  EXPECT_EQ(scheduler->noise().alphas_cumprod().back(), 0);
  EXPECT_TRUE(at::equal(scheduler->add_noise(tensor("start"), tensor("noise"), 999), tensor("noise")));
}

TEST(MakeScheduler, ReadsTheFolderAsStableDiffusionPipelineDoes) {
  // steps_offset and clip_sample are overruled; what other classes left in the file does not matter.
  const auto own = scheduler_of({{"_class_name", "DDIMScheduler"}, {"clip_sample", true}, {"skip_prk_steps", true}});
  EXPECT_EQ(own->start(10)->timesteps()[0], 901);
  const at::Tensor far = 50 * tensor("start");
  EXPECT_GT(own->start(10)->step(0, tensor("noise"), far).abs().max().item<double>(), 10);
  const json pndm = config_of("PNDMScheduler", {{"skip_prk_steps", true}, {"clip_sample", false}});
  EXPECT_EQ(scheduler_of(pndm)->start(10)->timesteps().size(), 11u);
  EXPECT_EQ(scheduler_of(pndm, "euler")->start(10)->timesteps()[1], 888);  // its own default: linspace
  EXPECT_EQ(scheduler_of(pndm, "ddim", 0.5)->start(10)->is_stochastic(), true);
}

TEST(MakeScheduler, ReadsAClassThatThereIsNotAsOneThatThereIs) {
  const json config = config_of("UniPCMultistepScheduler", {{"solver_p", nullptr}, {"predict_x0", true}});
  EXPECT_USER_ERROR(scheduler_of(config),
                    "'UniPCMultistepScheduler' is not DDIMScheduler, DPMSolverMultistepScheduler, "
                    "EulerDiscreteScheduler or PNDMScheduler; sampler.scheduler");
  EXPECT_EQ(scheduler_of(config, "dpm++")->start(10)->timesteps().size(), 10u);
}

TEST(MakeScheduler, ReadsTheInfinityThatPythonWrites) {
  const testing::TemporaryFolder folder;
  write_file(
      folder / "scheduler_config.json",
      R"({"_class_name": "DPMSolverMultistepScheduler", "lambda_min_clipped": -Infinity, "_name_or_path": "NaN\""})");
  EXPECT_EQ(make_scheduler(folder.path().string())->start(4)->timesteps()[0], 999);
}

}  // namespace
}  // namespace freeatm::diffusion
