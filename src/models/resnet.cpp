// SPDX-License-Identifier: Apache-2.0
#include "freeatm/models/resnet.h"

#include <utility>

#include <ATen/ATen.h>

#include "freeatm/core/format.h"
#include "freeatm/models/initialize.h"

namespace freeatm::models {
namespace {

using torch::nn::BatchNorm2d;
using torch::nn::Conv2d;
using torch::nn::Sequential;

Conv2d conv3x3(int64_t in, int64_t out, int64_t stride, int64_t dilation) {
  return Conv2d(torch::nn::Conv2dOptions(in, out, 3).stride(stride).padding(dilation).dilation(dilation).bias(false));
}

class BasicBlockImpl : public torch::nn::Module {
 public:
  /// first_dilation: of the first convolution, which still sees the stage before
  BasicBlockImpl(int64_t in, int64_t out, int64_t stride, int64_t first_dilation, int64_t dilation) {
    conv1 = register_module("conv1", conv3x3(in, out, stride, first_dilation));
    bn1 = register_module("bn1", BatchNorm2d(out));
    conv2 = register_module("conv2", conv3x3(out, out, 1, dilation));
    bn2 = register_module("bn2", BatchNorm2d(out));
    if (stride != 1 || in != out) {
      const Conv2d projection(torch::nn::Conv2dOptions(in, out, 1).stride(stride).bias(false));
      downsample = register_module("downsample", Sequential(projection, BatchNorm2d(out)));
    }
  }

  at::Tensor forward(const at::Tensor& x) {
    const at::Tensor identity = downsample ? downsample->forward(x) : x;
    const at::Tensor hidden = bn1(conv1(x)).relu_();
    return bn2(conv2(hidden)).add_(identity).relu_();
  }

  Conv2d conv1{nullptr}, conv2{nullptr};
  BatchNorm2d bn1{nullptr}, bn2{nullptr};
  Sequential downsample{nullptr};
};
TORCH_MODULE(BasicBlock);

}  // namespace

void ResNetOptions::fields(config::Fields& f) {
  f("depths", depths, "blocks of each stage: [2, 2, 2, 2] is ResNet-18", config::between(1, 64));
  f("width", width, "channels of the first stage; doubled at each further one", config::between(1, 1024));
  f("stem", stem, "7x7: stride 2 and max-pool (ImageNet); 3x3: stride 2", config::any_of({"7x7", "3x3"}));
  f("output_stride", output_stride, "pixels a cell of the last grid; stages beyond it dilate", config::between(4, 32));
  if (!f.reading()) return;
  if (depths.empty() || depths.size() > 5)
    f.refuse("depths", format("{} has {} stages; 1 to 5 are allowed", depths, depths.size()));
  if ((output_stride & (output_stride - 1)) != 0)
    f.refuse("output_stride", format("{} is not 4, 8, 16 or 32", output_stride));
}

ResNet::ResNet(const ResNetOptions& options) : max_pool_(options.stem == "7x7"), channels_(options.width) {
  const int64_t kernel = max_pool_ ? 7 : 3;
  conv1 = register_module(
      "conv1", Conv2d(torch::nn::Conv2dOptions(3, channels_, kernel).stride(2).padding(kernel / 2).bias(false)));
  bn1 = register_module("bn1", BatchNorm2d(channels_));
  int64_t grid_stride = max_pool_ ? 4 : 2, dilation = 1;
  for (size_t i = 0; i < options.depths.size(); ++i) {
    const int64_t first_dilation = dilation;
    int64_t stride = i == 0 ? 1 : 2;
    if (grid_stride * stride > options.output_stride) {
      dilation *= stride;
      stride = 1;
    }
    grid_stride *= stride;
    const int64_t in = channels_;
    channels_ = options.width << i;
    Sequential stage;
    stage->push_back(BasicBlock(in, channels_, stride, first_dilation, dilation));
    for (int64_t block = 1; block < options.depths[i]; ++block)
      stage->push_back(BasicBlock(channels_, channels_, 1, dilation, dilation));
    stages_.push_back(register_module(format("layer{}", i + 1), stage));
  }
}

at::Tensor ResNet::forward_features(const at::Tensor& images) {
  at::Tensor x = bn1(conv1(images)).relu_();
  if (max_pool_) x = at::max_pool2d(x, 3, 2, 1);
  for (auto& stage : stages_) x = stage->forward(x);
  return x;
}

at::Tensor ResNet::forward(const at::Tensor& images) { return forward_features(images).mean({2, 3}); }

void ResNet::initialize(uint64_t seed) {
  models::initialize(*this, seed);
  const at::NoGradGuard no_grad;
  for (const auto& module : modules(/*include_self=*/false)) {
    if (auto* block = module->as<BasicBlock>()) block->bn2->weight.zero_();
  }
}

}  // namespace freeatm::models
