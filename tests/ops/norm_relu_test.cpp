// SPDX-License-Identifier: Apache-2.0
// The fused norm, sum and ReLU against the reference in fp64.
#include "freeatm/ops/norm_relu.h"

#include <limits>
#include <thread>

#include <ATen/ATen.h>
#include <ATen/Parallel.h>
#include <torch/csrc/autograd/function.h>

#include "freeatm/core/error.h"

#include "models/hash_weights.h"
#include "testing.h"

namespace freeatm::ops {
namespace {

using at::Tensor;

struct Shape {
  int64_t batch, channels, side;
  bool adds;
};

// Whole tiles, a last part of a tile, fewer rows than a tile, more channels than a tile, more than one chunk; one row
// too few for a tile. The tensors are far from 0, where the difference of squares would fail.
constexpr Shape kShapes[] = {{4, 16, 8, false}, {3, 16, 7, true},   {1, 24, 3, false}, {2, 512, 5, true},
                             {8, 16, 32, true}, {5, 48, 33, false}, {1, 3, 2, true}};

struct Sides {
  NormState norm;
  Tensor x, residual, y;

  Sides(const Shape& s, at::ScalarType dtype) {
    const auto around = [&](const char* name, double middle) {
      return (testing::hash_tensor(name, {s.channels}, 0.5f) + middle).to(dtype);
    };
    norm = {around("weight", 1).requires_grad_(), around("bias", 0).requires_grad_(), around("mean", 0),
            around("variance", 1)};
    const auto hash = [&](const char* name) {
      return testing::hash_tensor(name, {s.batch, s.channels, s.side, s.side})
          .to(dtype)
          .contiguous(at::MemoryFormat::ChannelsLast);
    };
    x = (hash("x") + 10).requires_grad_();
    if (s.adds) residual = hash("residual").requires_grad_();
  }

  void run(bool fused) {
    const Tensor input = x.is_leaf() && x.requires_grad() ? x * 1 : x.clone();  // x is used up
    y = fused ? norm_relu(norm, input, residual) : norm_relu_reference(norm, input, residual);
    if (y.requires_grad()) (y * testing::hash_tensor("loss", y.sizes()).to(y.scalar_type())).sum().backward();
  }
};

void expect_close(const Tensor& seen, const Tensor& exact, const char* what) {
  ASSERT_EQ(seen.sizes(), exact.sizes()) << what;
  EXPECT_LE((seen.to(at::kDouble) - exact).abs().max().item<double>(), 1e-5 * (1 + exact.abs().max().item<double>()))
      << what;
}

TEST(NormRelu, EqualsTheOperatorsOneByOne) {
  for (const Shape& shape : kShapes) {
    SCOPED_TRACE(shape.channels);
    Sides fused(shape, at::kFloat), plain(shape, at::kDouble);
    fused.run(true);
    plain.run(false);
    EXPECT_EQ(fused.y.grad_fn()->name().find("Relu0"), std::string::npos);  // it is the fused one
    expect_close(fused.y, plain.y, "y");
    expect_close(fused.x.grad(), plain.x.grad(), "gradient of x");
    if (shape.adds) expect_close(fused.residual.grad(), plain.residual.grad(), "gradient of the residual");
    expect_close(fused.norm.weight.grad(), plain.norm.weight.grad(), "gradient of the weight");
    expect_close(fused.norm.bias.grad(), plain.norm.bias.grad(), "gradient of the bias");
    expect_close(fused.norm.running_mean, plain.norm.running_mean, "running mean");
    expect_close(fused.norm.running_var, plain.norm.running_var, "running variance");
  }
}

TEST(NormRelu, EqualsThemWithoutGradientsInBothModes) {
  const at::NoGradGuard no_grad;
  for (const Shape& shape : kShapes) {
    SCOPED_TRACE(shape.channels);
    Sides fused(shape, at::kFloat), plain(shape, at::kDouble);
    for (const bool trains : {true, false}) {
      fused.norm.uses_batch = plain.norm.uses_batch = trains;
      fused.run(true);
      plain.run(false);
      expect_close(fused.y, plain.y, trains ? "training" : "evaluation");
    }
  }
}

TEST(NormRelu, DoesNotDependOnTheNumberOfThreads) {
  const int threads = at::get_num_threads();
  std::vector<Tensor> gradients;
  for (const int count : {1, 2}) {
    at::set_num_threads(count);
    Sides sides({8, 16, 32, true}, at::kFloat);
    sides.run(true);
    gradients.push_back(sides.x.grad());
  }
  at::set_num_threads(threads);
  EXPECT_TRUE(gradients[0].equal(gradients[1]));
}

TEST(NormRelu, LeavesTheNumberOfThreadsAlone) {
  const int threads = at::get_num_threads();
  std::thread([] { at::set_num_threads(1); }).join();  // as a loader's worker does
  Sides sides({8, 16, 32, true}, at::kFloat);
  sides.run(true);
  EXPECT_EQ(at::get_num_threads(), threads);
}

TEST(NormRelu, LetsNanThrough) {
  Sides sides({2, 16, 4, false}, at::kFloat);
  const at::NoGradGuard no_grad;
  sides.x[0][3][1][1] = std::numeric_limits<float>::quiet_NaN();
  sides.run(true);
  EXPECT_TRUE(sides.y.select(1, 3).isnan().all().item<bool>());
  EXPECT_FALSE(sides.y.select(1, 4).isnan().any().item<bool>());
}

TEST(NormRelu, TakesOtherTypesAndLayoutsToo) {
  Sides plain({4, 16, 7, true}, at::kDouble);
  plain.run(false);
  const auto close = [&](const Tensor& x, const Tensor& residual, const char* what) {
    const Sides other({4, 16, 7, true}, at::kFloat);
    expect_close(norm_relu(other.norm, x, residual), plain.y, what);
  };
  const at::NoGradGuard no_grad;
  const Tensor x = plain.x.to(at::kFloat), residual = plain.residual.to(at::kFloat);
  close(x.contiguous(), residual, "rows first");
  close(x.clone(), residual.contiguous(), "a residual with its rows first");
  close(at::cat({x, x}, 1).narrow(1, 0, 16), residual, "a part of a wider tensor");
  close(at::stack({x, x}, -1).select(-1, 1), residual, "every second number");
  const Sides halves({4, 16, 7, true}, at::kDouble);
  EXPECT_TRUE(norm_relu(halves.norm, plain.x.clone(), plain.residual).equal(plain.y)) << "fp64";
}

TEST(NormRelu, FrozenStatisticsGiveTheReferencesGradients) {
  Sides fused({3, 16, 7, true}, at::kFloat), plain({3, 16, 7, true}, at::kDouble);
  for (Sides* sides : {&fused, &plain}) {
    sides->norm.uses_batch = false;
    sides->run(sides == &fused);
  }
  expect_close(fused.x.grad(), plain.x.grad(), "gradient of x");
  expect_close(fused.norm.weight.grad(), plain.norm.weight.grad(), "gradient of the weight");
}

TEST(NormRelu, NeedsMoreThanOneValueAChannel) {
  const Sides one({1, 16, 1, false}, at::kFloat);
  EXPECT_THROW(norm_relu(one.norm, one.x * 1), InternalError);
}

}  // namespace
}  // namespace freeatm::ops
