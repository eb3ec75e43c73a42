// SPDX-License-Identifier: Apache-2.0
#include "freeatm/evaluation/linear_head.h"

#include <cmath>
#include <numbers>

#include <ATen/ATen.h>
#include <torch/optim/lbfgs.h>

namespace freeatm::evaluation {

at::Tensor LinearHead::logits(const at::Tensor& features) const {
  return at::addmm(bias, features.to(weight.scalar_type()), weight.t());
}

// w (x - m) / s + b = (w / s) x + b - (w / s) m
LinearHead for_raw_features(const LinearHead& head, const ChannelStatistics& statistics) {
  const at::Tensor weight = head.weight / statistics.deviation.to(head.weight.scalar_type());
  return {weight, head.bias - weight.mv(statistics.mean.to(weight.scalar_type()))};
}

HeadSweep::HeadSweep(const std::vector<double>& learning_rates, int64_t classes, int64_t channels, double momentum,
                     int64_t total_steps, const at::Device& device)
    : classes_(classes),
      total_steps_(total_steps),
      momentum_(momentum),
      rates_(at::tensor(learning_rates, at::kFloat).unsqueeze(1).to(device)),
      weight_(at::zeros({rates_.size(0), classes, channels}, device)),
      bias_(at::zeros({rates_.size(0), classes}, device)),
      weight_velocity_(at::zeros_like(weight_)),
      bias_velocity_(at::zeros_like(bias_)) {}

at::Tensor HeadSweep::logits(const at::Tensor& features) const {
  return at::addmm(bias_.flatten(), features, weight_.flatten(0, 1).t()).view({features.size(0), -1, classes_});
}

void HeadSweep::step(const at::Tensor& features, const at::Tensor& gradient) {
  const double done = static_cast<double>(step_++) / static_cast<double>(total_steps_);
  const at::Tensor rates = rates_ * (0.5 * (1 + std::cos(std::numbers::pi * done)));
  const at::Tensor flat = gradient.flatten(1);  // [N, rates * classes]
  weight_velocity_.mul_(momentum_).add_(flat.t().mm(features).view_as(weight_));
  bias_velocity_.mul_(momentum_).add_(flat.sum(0).view_as(bias_));
  weight_.sub_(weight_velocity_ * rates.unsqueeze(2));
  bias_.sub_(bias_velocity_ * rates);
}

LinearHead HeadSweep::head(int64_t rate) const { return {weight_[rate].clone(), bias_[rate].clone()}; }

LinearHead fit_logistic(const at::Tensor& features, const at::Tensor& labels, int64_t classes, double l2) {
  const at::Tensor x = features.to(at::kDouble);
  at::Tensor weight = at::zeros({classes, x.size(1)}, x.options()).requires_grad_(),
             bias = at::zeros({classes}, x.options()).requires_grad_();
  torch::optim::LBFGS optimizer({weight, bias}, torch::optim::LBFGSOptions(1)
                                                    .max_iter(1000)
                                                    .tolerance_grad(1e-6 * static_cast<double>(x.size(0)))
                                                    .tolerance_change(1e-12)
                                                    .history_size(20)
                                                    .line_search_fn("strong_wolfe"));
  optimizer.step([&] {
    optimizer.zero_grad();
    const at::Tensor losses = at::cross_entropy_loss(at::addmm(bias, x, weight.t()), labels, {}, at::Reduction::Sum);
    const at::Tensor loss = losses + 0.5 * l2 * weight.square().sum();
    loss.backward();
    return loss;
  });
  return {weight.detach(), bias.detach()};
}

}  // namespace freeatm::evaluation
