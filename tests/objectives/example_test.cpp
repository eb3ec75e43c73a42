// SPDX-License-Identifier: Apache-2.0
// The example of docs/adding-an-objective.md: the page shows the code that is compiled here, and it learns.
#include <gtest/gtest.h>

#include "freeatm/core/files.h"
#include "freeatm/models/resnet.h"
#include "freeatm/training/optimizer.h"

#include "../../docs/examples/rotation.h"
#include "testing.h"

namespace freeatm::objectives {
namespace {

TEST(Example, IsTheCodeOnThePage) {
  const std::string page = read_file(testing::source_file("docs/adding-an-objective.md"));
  const std::string code = read_file(testing::source_file("docs/examples/rotation.h"));
  EXPECT_NE(page.find("```cpp\n" + code + "```"), std::string::npos) << "docs/adding-an-objective.md shows other code";
  EXPECT_LT(std::count(code.begin(), code.end(), '\n'), 100);
}

// White above, black below: which way up it is can be seen.
data::Sample half_white() {
  data::Sample sample;
  sample.image = vision::Image(16, 16);
  std::fill_n(sample.image.pixels.begin(), sample.image.pixels.size() / 2, uint8_t{255});
  return sample;
}

TEST(Example, LearnsWhichWayIsUp) {
  auto backbone = std::make_shared<models::ResNet>(
      models::ResNetOptions{.depths = {1}, .width = 8, .stem = "3x3", .output_stride = 4});
  backbone->initialize(1);
  const auto recipe = config::read<RotationRecipe>(
      {.command = "pretrain", .tree = config::parse_yaml("{min_scale: 0.9, augment: {size: 16}}", "test")});
  const auto objective = recipe.make([&] { return backbone; }, 2);
  training::Objective& rotation = *objective;
  const auto optimizer = training::make_optimizer({}, rotation.parameter_groups());
  optimizer->set_learning_rate(0.01);
  double first = 0, accuracy = 0;
  for (uint64_t step = 0; step < 60; ++step) {
    std::vector<at::Tensor> views, turns;
    for (uint64_t i = 0; i < 16; ++i) {
      RandomStream random(1, "view", step, i);
      const data::View view = rotation.prepare(half_white(), random, 0);
      views.push_back(view.at("view"));
      turns.push_back(view.at("turns"));
    }
    const auto losses = rotation.losses({{{"view", at::stack(views)}, {"turns", at::stack(turns)}}});
    accuracy = losses.observed[0].value.item<double>();
    if (step == 0) first = losses.total().item<double>();
    optimizer->backward_and_step(losses.total());
  }
  EXPECT_GT(first, 1);  // log 4 is what knows nothing
  EXPECT_EQ(accuracy, 1);
}

}  // namespace
}  // namespace freeatm::objectives
