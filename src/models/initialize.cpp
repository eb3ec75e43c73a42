// SPDX-License-Identifier: Apache-2.0
#include "freeatm/models/initialize.h"

#include <cmath>
#include <string>

#include <ATen/ATen.h>
#include <torch/nn/modules/conv.h>
#include <torch/nn/modules/linear.h>

#include "freeatm/models/norm.h"
#include "freeatm/runtime/parallel.h"

namespace freeatm::models {
namespace {

constexpr uint64_t kUniformWords = 2, kNormalWords = 4;

// Each value takes so many words of the stream: a thread begins where its part of them does.
template <class Draw>
void fill(const at::Tensor& tensor, const RandomStream& random, uint64_t words, Draw draw) {
  const at::NoGradGuard no_grad;
  const at::Tensor values = at::empty(tensor.sizes(), at::kFloat);
  float* data = values.data_ptr<float>();
  constexpr int64_t kWorthAThread = 1 << 14;
  runtime::parallel_for(0, values.numel(), kWorthAThread, [&](int64_t first, int64_t last) {
    RandomStream own = random.behind(words * static_cast<uint64_t>(first));
    for (int64_t i = first; i < last; ++i) data[i] = static_cast<float>(draw(own));
  });
  tensor.copy_(values);
}

void initialize_convolution(torch::nn::Conv2dImpl& layer, const RandomStream& random) {
  const at::Tensor& weight = layer.weight;  // [out, in / groups, kh, kw]
  const double fan_out = static_cast<double>(weight.size(0) * weight.size(2) * weight.size(3)) /
                         static_cast<double>(layer.options.groups());
  fill_normal(weight, std::sqrt(2 / fan_out), random);
  if (layer.bias.defined()) layer.bias.zero_();
}

void initialize_linear(torch::nn::LinearImpl& layer, const RandomStream& random) {
  const double bound = 1 / std::sqrt(static_cast<double>(layer.weight.size(1)));
  fill_uniform(layer.weight, bound, random);
  if (layer.bias.defined())  // of the same stream
    fill_uniform(layer.bias, bound, random.behind(kUniformWords * static_cast<uint64_t>(layer.weight.numel())));
}

}  // namespace

double xavier_bound(int64_t in, int64_t out) { return std::sqrt(6.0 / static_cast<double>(in + out)); }

void fill_uniform(const at::Tensor& tensor, double bound, const RandomStream& random) {
  fill(tensor, random, kUniformWords, [=](RandomStream& stream) { return stream.uniform(-bound, bound); });
}

void fill_normal(const at::Tensor& tensor, double deviation, const RandomStream& random) {
  fill(tensor, random, kNormalWords, [=](RandomStream& stream) { return stream.normal(0, deviation); });
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
