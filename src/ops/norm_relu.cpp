// SPDX-License-Identifier: Apache-2.0
#include "freeatm/ops/norm_relu.h"

#include <cmath>
#include <functional>
#include <optional>
#include <vector>

#include <ATen/ATen.h>
#include <torch/csrc/autograd/custom_function.h>

#include "freeatm/core/error.h"

#include "norm_relu_cpu.h"
#include "synced_norm.h"

namespace freeatm::ops {
namespace {

using at::Tensor;

void follow(const cpu::Statistics& seen, const NormState& norm) {
  const double momentum = norm.momentum, unbiased = seen.rows / (seen.rows - 1);
  auto* mean = norm.running_mean.mutable_data_ptr<float>();
  auto* variance = norm.running_var.mutable_data_ptr<float>();
  for (size_t c = 0; c < seen.mean.size(); ++c) {
    mean[c] = static_cast<float>((1 - momentum) * mean[c] + momentum * seen.mean[c]);
    variance[c] = static_cast<float>((1 - momentum) * variance[c] + momentum * unbiased * seen.variance[c]);
  }
}

std::vector<double> doubles_of(const Tensor& x) {
  return {x.const_data_ptr<double>(), x.const_data_ptr<double>() + x.numel()};
}

/// Of this batch, or of all ranks' together; the running ones follow them.
cpu::Statistics see(const Tensor& x, const NormState& norm) {
  cpu::Statistics seen = cpu::statistics_of(x);
  if (norm.gather) {
    const Moments own{seen.rows, at::tensor(seen.mean, at::kDouble), at::tensor(seen.variance, at::kDouble)};
    const Moments all = over_ranks(own, norm.gather);
    seen = {doubles_of(all.mean), doubles_of(all.variance), all.rows};
  }
  follow(seen, norm);
  return seen;
}

// What backward does with its sums where other ranks have a part of the batch.
std::function<void(std::vector<double>&, std::vector<double>&)> sum_over_ranks(const Gather& gather) {
  if (!gather) return {};
  return [gather](std::vector<double>& sum, std::vector<double>& product) {
    const Tensor all = gather(at::cat({at::tensor(sum, at::kDouble), at::tensor(product, at::kDouble)})).sum(0);
    const auto parts = all.chunk(2);
    sum = doubles_of(parts[0]), product = doubles_of(parts[1]);
  };
}

class NormRelu : public torch::autograd::Function<NormRelu> {
 public:
  // weight and bias are the norm's: autograd wants to see them.
  static Tensor forward(torch::autograd::AutogradContext* context, const Tensor& x, const Tensor& weight,
                        const Tensor& bias, const std::optional<Tensor>& residual, const NormState& norm) {
    const cpu::Statistics seen = see(x, norm);
    Tensor y = at::empty_like(x);
    cpu::transform(x, residual.value_or(Tensor()), weight, bias, seen, norm.eps, y);
    std::vector<double> deviation = seen.variance;
    for (double& value : deviation) value = std::sqrt(value + norm.eps);
    context->save_for_backward({x, y, weight, at::tensor(seen.mean, at::kDouble), at::tensor(deviation, at::kDouble)});
    context->saved_data["adds"] = residual.has_value();
    context->saved_data["rows"] = seen.rows;
    context->saved_data["gather"] = kept(norm.gather);
    return y;
  }

  static torch::autograd::variable_list backward(torch::autograd::AutogradContext* context,
                                                 const torch::autograd::variable_list& gradients) {
    const auto saved = context->get_saved_variables();
    const auto [input, weight, bias, residual] =
        cpu::backward(gradients[0], saved[0], saved[1], saved[2],
                      {doubles_of(saved[3]), doubles_of(saved[4]), context->saved_data["rows"].toDouble(),
                       sum_over_ranks(kept_in(context->saved_data["gather"]))},
                      context->saved_data["adds"].toBool());
    return {input, weight, bias, residual, Tensor()};
  }
};

}  // namespace

Tensor batch_norm(const NormState& norm, const Tensor& x) {
  if (norm.uses_batch && norm.gather) return synced_batch_norm(norm, x);
  FREEATM_CHECK(!norm.uses_batch || x.numel() > x.size(1), "a norm needs more than one value a channel: {}", x.sizes());
  return at::batch_norm(x, norm.weight, norm.bias, norm.running_mean, norm.running_var, norm.uses_batch, norm.momentum,
                        norm.eps, at::globalContext().userEnabledCuDNN());
}

Tensor norm_relu_reference(const NormState& norm, const Tensor& x, const Tensor& residual) {
  Tensor y = batch_norm(norm, x);
  return (residual.defined() ? y.add_(residual) : y).relu_();
}

Tensor norm_relu(const NormState& norm, Tensor x, const Tensor& residual) {
  const bool differentiates =
      at::GradMode::is_enabled() && (x.requires_grad() || (norm.weight.defined() && norm.weight.requires_grad()));
  const bool fits = cpu::fits(x) && (!residual.defined() || cpu::fits(residual)) && norm.weight.defined() &&
                    norm.weight.scalar_type() == at::kFloat && (norm.gather || x.size(0) * x.size(2) * x.size(3) > 1) &&
                    (norm.uses_batch || !differentiates);
  if (!fits) return norm_relu_reference(norm, x, residual);
  if (differentiates) {
    const auto added = residual.defined() ? std::optional(residual) : std::nullopt;
    return NormRelu::apply(x, norm.weight, norm.bias, added, norm);
  }
  cpu::Statistics seen;
  if (norm.uses_batch) {
    seen = see(x, norm);
  } else {
    seen = {cpu::values_of(norm.running_mean), cpu::values_of(norm.running_var)};
  }
  cpu::transform(x, residual, norm.weight, norm.bias, seen, norm.eps, x);
  return x;
}

}  // namespace freeatm::ops
