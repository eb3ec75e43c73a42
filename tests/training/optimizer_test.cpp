// SPDX-License-Identifier: Apache-2.0
// AdamW and the cosine schedule against PyTorch (values: scripts/baselines/optim.py).
#include "freeatm/training/optimizer.h"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include "freeatm/training/schedule.h"

#include "models/hash_weights.h"
#include "testing.h"

namespace freeatm::training {
namespace {

constexpr double kPeak = 0.01, kLast = 0.001;
const OptimizerOptions kAdamW{.name = "adamw", .beta1 = 0.9, .beta2 = 0.95, .epsilon = 1e-6, .weight_decay = 0.1};

weights::TensorMap expected() {
  return weights::load_safetensors(testing::test_file("training/data/adamw.safetensors")).tensors;
}

void compare_five_steps(const OptimizerOptions& options, at::ScalarType dtype, const std::string& label,
                        double tolerance) {
  const auto values = expected();
  const CosineSchedule schedule(kPeak, kLast, 2, 6);
  const auto parameter = [&](const char* name, at::IntArrayRef shape) {
    return testing::hash_tensor(name, shape).to(dtype).requires_grad_();
  };
  at::Tensor weight = parameter("weight", {7, 5}), bias = parameter("bias", {7});
  const auto optimizer = make_optimizer(
      options, {{.parameters = {{"weight", weight}}}, {.parameters = {{"bias", bias}}, .weight_decay_scale = 0}});
  for (int step = 1; step <= 5; ++step) {
    optimizer->set_learning_rate(schedule(step));
    const auto gradient = [&](const std::string& name, const at::Tensor& of) {
      return testing::hash_tensor(format("grad.{}.{}", name, step), of.sizes()).to(dtype);
    };
    optimizer->backward_and_step((weight * gradient("weight", weight)).sum() + (bias * gradient("bias", bias)).sum());
    for (const auto& [name, tensor] : {std::pair{"weight", weight}, std::pair{"bias", bias}}) {
      const at::Tensor wanted = values.at(format("{}.{}.{}", label, name, step));
      EXPECT_LE((tensor - wanted).abs().max().item<double>(), tolerance) << name << " after step " << step;
    }
    EXPECT_FALSE(weight.grad().defined());
  }
}

TEST(AdamW, EqualsPyTorchOverFiveSteps) {
  compare_five_steps(kAdamW, at::kDouble, "fp64", 1e-14);
  compare_five_steps(kAdamW, at::kFloat, "fp32", 2e-7);
}

TEST(AdamW, ClipsGradientsAsPyTorchDoes) {
  OptimizerOptions options = kAdamW;
  options.clip_norm = 2.0;  // of both groups together
  compare_five_steps(options, at::kDouble, "clipped", 1e-14);
  options.clip_norm = 1e9;
  compare_five_steps(options, at::kDouble, "fp64", 1e-14);
}

TEST(AdamW, ScalesTheLearningRateOfAGroup) {
  at::Tensor a = at::ones({3}).requires_grad_(), b = at::ones({3}).requires_grad_();
  OptimizerOptions options;
  options.weight_decay = 0;
  const auto optimizer =
      make_optimizer(options, {{.parameters = {{"a", a}}}, {.parameters = {{"b", b}}, .learning_rate_scale = 0.5}});
  optimizer->set_learning_rate(0.1);
  optimizer->backward_and_step((a + b).sum());
  EXPECT_NEAR(a[0].item<double>(), 0.9, 1e-6);
  EXPECT_NEAR(b[0].item<double>(), 0.95, 1e-6);
}

TEST(CosineSchedule, EqualsTheFormula) {
  const at::Tensor rates = expected().at("learning_rates");
  const CosineSchedule schedule(kPeak, kLast, 2, 6);
  for (int64_t step = 0; step < rates.size(0); ++step) EXPECT_NEAR(schedule(step), rates[step].item<double>(), 1e-15);
  EXPECT_EQ(CosineSchedule(1, 0, 0, 10)(0), 1);
}

}  // namespace
}  // namespace freeatm::training
