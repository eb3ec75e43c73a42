// SPDX-License-Identifier: Apache-2.0
#include "freeatm/models/placement.h"

#include <memory>

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include "freeatm/runtime/device.h"
#include "freeatm/weights/load.h"

#include "convolution.h"
#include "tensors.h"
#include "testing.h"

namespace freeatm::models {
namespace {

using testing::relative_difference;
using torch::nn::Conv2dOptions;

struct Holder : torch::nn::Module {
  explicit Holder(const Conv2dOptions& options) : convolution(register_module("convolution", Convolution(options))) {}
  Convolution convolution;
};

// oneDNN's layout of strides, paddings, dilations and groups as LibTorch computes them from the plain weight.
TEST(Convolution, GivesTheSameFromOneDnnsLayout) {
  const c10::InferenceMode inference;
  const std::vector<Conv2dOptions> cases = {Conv2dOptions(5, 7, 3).padding(1),
                                            Conv2dOptions(64, 96, 3).stride(2),
                                            Conv2dOptions(32, 16, 1),
                                            Conv2dOptions(4, 8, 5).padding({2, 1}),
                                            Conv2dOptions(8, 8, 3).padding(2).dilation(2).groups(4),
                                            Conv2dOptions(6, 6, 3).bias(false)};
  for (const Conv2dOptions& options : cases) {
    for (const at::ScalarType type : {at::kFloat, at::kBFloat16}) {
      if (!runtime::computes_natively(at::kCPU, type)) continue;
      const auto plain = std::make_shared<Holder>(options), packed = std::make_shared<Holder>(options);
      weights::load_into(weights::module_state(*packed), weights::module_state(*plain));
      place(*packed, at::kCPU, type, Use::kDraw);
      const at::Tensor x = at::randn({3, options.in_channels(), 9, 11});
      const at::Tensor expected = plain->convolution->forward(x);
      EXPECT_LE(relative_difference(packed->convolution->forward(x.to(type)).to(at::kFloat), expected),
                type == at::kFloat ? 1e-5 : 2e-2);
      EXPECT_EQ(packed->convolution->weight.numel() == 0, options.kernel_size()->at(0) > 1);
      EXPECT_TRUE(packed->convolution->forward(x.to(type)).is_contiguous(at::MemoryFormat::ChannelsLast));
      const at::Tensor again = packed->convolution->forward(x.narrow(0, 0, 1).to(type)).to(at::kFloat);  // another size
      EXPECT_LE(relative_difference(again, expected.narrow(0, 0, 1)), type == at::kFloat ? 1e-5 : 2e-2);
      if (type == at::kBFloat16) continue;
      const at::Tensor bias = at::randn({options.out_channels()});
      EXPECT_LE(relative_difference(packed->convolution->convolve(x, bias), plain->convolution->convolve(x, bias)),
                1e-5);
    }
  }
}

TEST(Place, DrawsFromTheFileAndTrainsFromItsOwnMemory) {
  const testing::TemporaryFolder folder;
  const std::string path = (folder / "weights.safetensors").string();
  const auto linear_of = [&] {
    const weights::WithoutFirstWeights all_in_the_file;
    return torch::nn::Linear(40, 30);
  };
  weights::save_safetensors(path, {{"weight", at::randn({30, 40})}, {"bias", at::randn({30})}});
  const weights::TensorMap tensors = weights::load_safetensors(path).tensors;
  for (const Use use : {Use::kDraw, Use::kTrain}) {
    auto linear = linear_of();
    weights::adopt(*linear, tensors, path);
    place(*linear, at::kCPU, at::kFloat, use);
    EXPECT_EQ(linear->weight.const_data_ptr() == tensors.at("weight").const_data_ptr(), use == Use::kDraw);
    EXPECT_TRUE(at::equal(linear->weight, tensors.at("weight")));
    EXPECT_TRUE(linear->weight.requires_grad());
  }
  auto half = linear_of();
  weights::adopt(*half, tensors, path);
  place(*half, at::kCPU, at::kHalf, Use::kDraw);
  EXPECT_TRUE(at::equal(half->weight, tensors.at("weight").to(at::kHalf)));
}

}  // namespace
}  // namespace freeatm::models
