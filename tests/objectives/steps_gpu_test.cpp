// SPDX-License-Identifier: Apache-2.0
#include <ATen/ATen.h>

#include "freeatm/data/planned_views.h"
#include "freeatm/runtime/autocast.h"
#include "freeatm/training/optimizer.h"

#include "gpu.h"
#include "steps.h"
#include "sync_errors.h"
#include "tensors.h"

namespace freeatm::objectives {
namespace {

class StepsOnGpu : public testing::OnGpu, public ::testing::WithParamInterface<StepCase> {};

struct AfterStep {
  double loss;
  training::NamedTensors parameters;  // on the CPU
};

AfterStep step_on(at::Device device, const StepCase& one) {
  at::manual_seed(0);
  const auto objective = one.make(device);
  objective->train();
  // Not AdamW, whose first update is the gradient's sign: of a gradient near 0 that of its rounding.
  const auto optimizer =
      training::make_optimizer({.name = "sgd", .momentum = 0, .weight_decay = 0}, objective->parameter_groups());
  optimizer->set_learning_rate(0.1);
  // Views are the CPU's on both sides.
  data::Batch batch = batch_of(*objective, one);
  data::make_views(batch);
  const at::Tensor loss = objective->losses(batch.to(device)).total();
  optimizer->backward_and_step(loss);
  AfterStep after{loss.item<double>(), {}};
  for (const auto& item : objective->named_parameters())
    after.parameters.emplace_back(item.key(), item.value().detach().cpu());
  return after;
}

TEST_P(StepsOnGpu, AreTheCpus) {
  const StepCase& one = GetParam();
  if (one.name == "detection") GTEST_SKIP() << "which proposals it learns from is drawn on the device";
  const AfterStep ours = step_on(device, one), cpus = step_on(at::kCPU, one);
  EXPECT_NEAR(ours.loss, cpus.loss, 1e-4 * std::abs(cpus.loss));
  for (size_t i = 0; i < cpus.parameters.size(); ++i) {
    const auto& [name, expected] = cpus.parameters[i];
    EXPECT_LE(testing::difference(ours.parameters[i].second, expected),
              1e-3 * std::max(0.1, expected.abs().max().item<double>()))
        << name;
  }
}

// In fp32 and under autocast, after a step that chose kernels and took memory.
TEST_P(StepsOnGpu, WaitForNothing) {
  const StepCase& one = GetParam();
  if (one.waits) GTEST_SKIP() << "sizes of its tensors are read from the device";
  for (const at::ScalarType dtype : {at::kFloat, at::kBFloat16}) {
    const auto objective = one.make(device);
    objective->train();
    const auto optimizer = training::make_optimizer({.clip_norm = 1.0}, objective->parameter_groups());
    optimizer->set_learning_rate(1e-3);
    const data::Batch batch = batch_of(*objective, one).to(device);
    const auto step = [&] {
      data::Batch made = batch;
      data::make_views(made);
      at::Tensor loss;
      {
        const runtime::Autocast autocast(at::kCUDA, dtype);
        loss = objective->losses(made).total();
      }
      optimizer->backward_and_step(loss);
      objective->after_step(0.5);
      return loss;
    };
    step();
    at::Tensor loss;
    {
      const testing::SyncErrors guard;
      for (int i = 0; i < 3; ++i) loss = step();
    }
    EXPECT_TRUE(std::isfinite(loss.item<double>()));
  }
}

INSTANTIATE_TEST_SUITE_P(Objectives, StepsOnGpu, ::testing::ValuesIn(step_cases()),
                         [](const auto& info) { return info.param.name; });

using SyncErrorsOnGpu = testing::OnGpu;

TEST_F(SyncErrorsOnGpu, AreThrownWhereAValueIsRead) {  // else WaitForNothing could not fail
  const at::Tensor one = at::ones({}, at::TensorOptions(device));
  {
    const testing::SyncErrors guard;
    EXPECT_ANY_THROW(one.item<float>());
  }
  EXPECT_EQ(one.item<float>(), 1);
}

}  // namespace
}  // namespace freeatm::objectives
