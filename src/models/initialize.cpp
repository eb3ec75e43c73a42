// SPDX-License-Identifier: Apache-2.0
#include "freeatm/models/initialize.h"

#include <cmath>
#include <string>
#include <vector>

#include <ATen/ATen.h>
#include <torch/nn/modules/conv.h>
#include <torch/nn/modules/linear.h>

#include "freeatm/models/norm.h"

namespace freeatm::models {
namespace {

template <class Draw>
void fill(const at::Tensor& tensor, Draw draw) {
  const at::NoGradGuard no_grad;
  std::vector<float> values(tensor.numel());
  for (float& value : values) value = static_cast<float>(draw());
  tensor.copy_(at::from_blob(values.data(), tensor.sizes(), at::kFloat));
}

void initialize_convolution(torch::nn::Conv2dImpl& layer, const RandomStream& random) {
  const at::Tensor& weight = layer.weight;  // [out, in / groups, kh, kw]
  const double fan_out = static_cast<double>(weight.size(0) * weight.size(2) * weight.size(3)) /
                         static_cast<double>(layer.options.groups());
  fill_normal(weight, std::sqrt(2 / fan_out), random);
  if (layer.bias.defined()) layer.bias.zero_();
}

void initialize_linear(torch::nn::LinearImpl& layer, RandomStream random) {
  const double bound = 1 / std::sqrt(static_cast<double>(layer.weight.size(1)));
  const auto draw = [&] { return random.uniform(-bound, bound); };  // one stream for both
  fill(layer.weight, draw);
  if (layer.bias.defined()) fill(layer.bias, draw);
}

}  // namespace

double xavier_bound(int64_t in, int64_t out) { return std::sqrt(6.0 / static_cast<double>(in + out)); }

void fill_uniform(const at::Tensor& tensor, double bound, RandomStream random) {
  fill(tensor, [&] { return random.uniform(-bound, bound); });
}

void fill_normal(const at::Tensor& tensor, double deviation, RandomStream random) {
  fill(tensor, [&] { return random.normal(0, deviation); });
}

void initialize(torch::nn::Module& module, uint64_t seed) {
  const at::NoGradGuard no_grad;
  const RandomStream weights(seed, "weights");
  for (const auto& item : module.named_modules("", /*include_self=*/false)) {
    if (auto* convolution = item.value()->as<torch::nn::Conv2d>())
      initialize_convolution(*convolution, weights.fork(item.key()));
    if (auto* linear = item.value()->as<torch::nn::Linear>()) initialize_linear(*linear, weights.fork(item.key()));
    if (auto* norm = item.value()->as<NormImpl>()) norm->reset_parameters();
  }
}

}  // namespace freeatm::models
