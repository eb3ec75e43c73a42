// SPDX-License-Identifier: Apache-2.0
// AdamW and SGD against PyTorch, LARS against its formula (values: scripts/baselines/optim.py).
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
  return weights::load_safetensors(testing::test_file("training/data/optim.safetensors")).tensors;
}

/// The script's parameters, in its two groups.
struct Parameters {
  NamedTensors named;

  explicit Parameters(at::ScalarType dtype) {
    const auto add = [&](const char* name, at::IntArrayRef shape, float scale) {
      named.emplace_back(name, testing::hash_tensor(name, shape, scale).to(dtype).requires_grad_());
    };
    add("weight", {7, 5}, 1);
    add("zero", {3, 4}, 0);
    add("bias", {7}, 1);
  }
  std::vector<ParameterGroup> groups() const {
    return {{.parameters = {named[0], named[1]}}, {.parameters = {named[2]}, .weight_decay_scale = 0}};
  }
  at::Tensor loss(int step) const {  // whose gradients are the script's
    at::Tensor sum = at::zeros({}, named[0].second.options().requires_grad(false));
    for (const auto& [name, tensor] : named) {
      const at::Tensor gradient = testing::hash_tensor(format("grad.{}.{}", name, step), tensor.sizes());
      sum = sum + (tensor * gradient.to(tensor.scalar_type())).sum();
    }
    return sum;
  }
};

void compare_five_steps(const OptimizerOptions& options, double scale, const std::string& label, at::ScalarType dtype,
                        double tolerance) {
  const auto values = expected();
  const CosineSchedule schedule(kPeak, kLast, 2, 6);
  const Parameters parameters(dtype);
  const auto optimizer = make_optimizer(options, parameters.groups());
  for (int step = 1; step <= 5; ++step) {
    optimizer->set_learning_rate(scale * schedule(step));
    optimizer->backward_and_step(parameters.loss(step));
    for (const auto& [name, tensor] : parameters.named) {
      const at::Tensor wanted = values.at(format("{}.{}.{}", label, name, step));
      EXPECT_LE((tensor - wanted).abs().max().item<double>(), tolerance) << label << " " << name << " step " << step;
      EXPECT_FALSE(tensor.grad().defined());
    }
  }
}

void compare(const OptimizerOptions& options, double scale, const std::string& label) {
  compare_five_steps(options, scale, label + ".fp64", at::kDouble, 1e-14);
  compare_five_steps(options, scale, label + ".fp32", at::kFloat, 5e-7);
}

TEST(AdamW, EqualsPyTorchOverFiveSteps) { compare(kAdamW, 1, "adamw"); }

TEST(Sgd, EqualsPyTorchOverFiveSteps) {
  compare({.name = "sgd", .momentum = 0.9, .weight_decay = 0.1}, 10, "sgd");
  compare({.name = "sgd", .momentum = 0.8, .nesterov = true, .weight_decay = 0.1}, 10, "nesterov");
  compare({.name = "sgd", .momentum = 0, .weight_decay = 0.1}, 10, "plain");
}

TEST(Lars, EqualsThePublishedFormulaOverFiveSteps) {
  compare({.name = "lars", .momentum = 0.9, .trust_coefficient = 0.02, .weight_decay = 0.1}, 100, "lars");
}

TEST(Lars, NeitherDecaysNorScalesWhatHasOneDimension) {
  at::Tensor bias = at::full({4}, 3.0).requires_grad_(), weight = at::full({4, 1}, 3.0).requires_grad_();
  const auto optimizer = make_optimizer({.name = "lars", .momentum = 0, .weight_decay = 0.5},
                                        {{.parameters = {{"bias", bias}, {"weight", weight}}}});  // one group
  optimizer->set_learning_rate(1);
  optimizer->backward_and_step(bias.sum() + weight.sum());
  EXPECT_NEAR(bias[0].item<double>(), 2.0, 1e-6);
  EXPECT_NEAR(weight[0].item<double>(), 3.0 - 0.001 * 3.0, 1e-6);  // .001 of its length, whatever the gradient's
}

TEST(Optimizers, GoOnFromTheirStateBitForBit) {
  for (const char* name : {"adamw", "sgd", "lars"}) {
    const OptimizerOptions options{.name = name, .weight_decay = 0.1};
    const Parameters straight(at::kFloat), resumed(at::kFloat);
    const auto one = make_optimizer(options, straight.groups());
    auto other = make_optimizer(options, resumed.groups());
    for (int step = 1; step <= 5; ++step) {
      if (step == 3) {  // by name, as a checkpoint does it
        auto fresh = make_optimizer(options, resumed.groups());
        const auto from = other->state(), to = fresh->state();
        ASSERT_EQ(from.size(), to.size());
        EXPECT_EQ(from.size(), std::string(name) == "adamw" ? 7u : 3u);
        for (const auto& [key, tensor] : to) tensor.copy_(from.at(key));
        other = std::move(fresh);
      }
      for (const auto& [optimizer, parameters] : {std::pair(one.get(), &straight), {other.get(), &resumed}}) {
        optimizer->set_learning_rate(0.01);
        optimizer->backward_and_step(parameters->loss(step));
      }
    }
    for (size_t i = 0; i < 3; ++i) EXPECT_TRUE(straight.named[i].second.equal(resumed.named[i].second)) << name;
  }
}

TEST(AdamW, ClipsGradientsAsPyTorchDoes) {
  OptimizerOptions options = kAdamW;
  options.clip_norm = 2.0;  // of both groups together
  compare_five_steps(options, 1, "adamw.clipped", at::kDouble, 1e-14);
  options.clip_norm = 1e9;
  compare_five_steps(options, 1, "adamw.fp64", at::kDouble, 1e-14);
}

TEST(Optimizers, ScaleTheLearningRateOfAGroup) {
  for (const char* name : {"adamw", "sgd", "lars"}) {
    at::Tensor a = at::ones({3}).requires_grad_(), b = at::ones({3}).requires_grad_();
    const auto optimizer =
        make_optimizer({.name = name, .weight_decay = 0},
                       {{.parameters = {{"a", a}}}, {.parameters = {{"b", b}}, .learning_rate_scale = 0.5}});
    optimizer->set_learning_rate(0.1);
    optimizer->backward_and_step((a + b).sum());
    EXPECT_NEAR(a[0].item<double>(), 0.9, 1e-6) << name;
    EXPECT_NEAR(b[0].item<double>(), 0.95, 1e-6) << name;
  }
}

TEST(Optimizers, SumGradientsUntilTheStep) {
  at::Tensor weight = at::ones({3}).requires_grad_();
  const auto optimizer =
      make_optimizer({.name = "sgd", .momentum = 0, .weight_decay = 0}, {{.parameters = {{"weight", weight}}}});
  optimizer->set_learning_rate(0.1);
  for (const double part : {0.25, 0.75}) (part * weight).sum().backward();
  optimizer->step();
  EXPECT_NEAR(weight[0].item<double>(), 0.9, 1e-7);
}

}  // namespace
}  // namespace freeatm::training
