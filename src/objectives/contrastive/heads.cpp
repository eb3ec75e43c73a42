// SPDX-License-Identifier: Apache-2.0
#include "heads.h"

#include <ATen/ATen.h>
#include <torch/nn/modules/activation.h>
#include <torch/nn/modules/linear.h>

#include "freeatm/models/norm.h"

namespace freeatm::objectives {

using torch::nn::Linear;
using torch::nn::LinearOptions;

torch::nn::Sequential mlp(int64_t in, int64_t hidden, int64_t out, int64_t layers) {
  torch::nn::Sequential head;
  for (int64_t i = 0; i + 1 < layers; ++i) {
    head->push_back(Linear(LinearOptions(i == 0 ? in : hidden, hidden).bias(false)));
    head->push_back(models::Norm(hidden));
    head->push_back(torch::nn::ReLU());
  }
  head->push_back(Linear(LinearOptions(layers == 1 ? in : hidden, out).bias(false)));
  return head;
}

torch::nn::Sequential projection_head(int64_t in, int64_t hidden, int64_t out, int64_t layers) {
  torch::nn::Sequential head = mlp(in, hidden, out, layers);
  head->push_back(models::Norm(out, models::NormOptions{.affine = false}));
  return head;
}

std::pair<at::Tensor, at::Tensor> predictions_of(const std::pair<at::Tensor, at::Tensor>& features,
                                                 torch::nn::Sequential& projector, torch::nn::Sequential& predictor) {
  const at::Tensor first = unit(predictor->forward(projector->forward(features.first)));
  return {first, unit(predictor->forward(projector->forward(features.second)))};
}

std::pair<at::Tensor, at::Tensor> targets_of(const std::pair<at::Tensor, at::Tensor>& features,
                                             torch::nn::Sequential& projector) {
  const at::NoGradGuard no_grad;
  const at::Tensor first = unit(projector->forward(features.first));
  return {first, unit(projector->forward(features.second))};
}

}  // namespace freeatm::objectives
