// SPDX-License-Identifier: Apache-2.0
#include "synced_norm.h"

#include <numeric>
#include <optional>
#include <utility>
#include <vector>

#include <ATen/ATen.h>
#include <torch/custom_class.h>

namespace freeatm::ops {
namespace {

using at::Tensor;

struct KeptGather final : torch::CustomClassHolder {
  explicit KeptGather(Gather gather) : gather(std::move(gather)) {}
  Gather gather;
};

// All but the channels.
std::vector<int64_t> other_dimensions(const Tensor& x) {
  std::vector<int64_t> out(static_cast<size_t>(x.dim()));
  std::iota(out.begin(), out.end(), int64_t{0});
  out.erase(out.begin() + 1);
  return out;
}

// [channels] as it is spread over x, in the type that x is summed in.
Tensor spread(const Tensor& values, const Tensor& x) {
  std::vector<int64_t> shape(static_cast<size_t>(x.dim()), 1);
  shape[1] = -1;
  return values.to(x.scalar_type()).view(shape);
}

Tensor in_full(const Tensor& x) { return x.scalar_type() == at::kDouble ? x : x.to(at::kFloat); }

// Of no rows: zeros, which weigh nothing.
Moments moments_of(const Tensor& x) {
  const double rows = static_cast<double>(x.numel()) / static_cast<double>(x.size(1));
  if (rows == 0)
    return {0, at::zeros({x.size(1)}, x.options().dtype(at::kDouble)),
            at::zeros({x.size(1)}, x.options().dtype(at::kDouble))};
  const auto [variance, mean] = at::var_mean(x, other_dimensions(x), /*correction=*/0);
  return {rows, mean.to(at::kDouble), variance.to(at::kDouble)};
}

class SyncedNorm : public torch::autograd::Function<SyncedNorm> {
 public:
  static Tensor forward(torch::autograd::AutogradContext* context, const Tensor& given,
                        const std::optional<Tensor>& weight, const std::optional<Tensor>& bias, const NormState& norm) {
    const Tensor x = in_full(given);
    const Moments seen = over_ranks(moments_of(x), norm.gather);
    norm.running_mean.lerp_(seen.mean.to(norm.running_mean.scalar_type()), norm.momentum);
    const Tensor unbiased = seen.variance * (seen.rows / (seen.rows - 1));
    norm.running_var.lerp_(unbiased.to(norm.running_var.scalar_type()), norm.momentum);

    const Tensor inverse = (seen.variance + norm.eps).rsqrt();
    const Tensor scale = weight ? inverse * *weight : inverse, moved = -seen.mean * scale;
    context->save_for_backward({given, weight.value_or(Tensor()), seen.mean, inverse});
    context->saved_data["rows"] = seen.rows;
    context->saved_data["gather"] = kept(norm.gather);
    return at::addcmul(spread(bias ? moved + *bias : moved, x), x, spread(scale, x)).to(given.scalar_type());
  }

  static torch::autograd::variable_list backward(torch::autograd::AutogradContext* context,
                                                 const torch::autograd::variable_list& gradients) {
    const auto saved = context->get_saved_variables();
    const Tensor x = in_full(saved[0]), gradient = in_full(gradients[0]), &weight = saved[1];
    const double rows = context->saved_data["rows"].toDouble();
    const Tensor normed = (x - spread(saved[2], x)) * spread(saved[3], x);
    const auto dimensions = other_dimensions(x);
    const Tensor sum = gradient.sum(dimensions), product = (gradient * normed).sum(dimensions);
    const Tensor own = at::cat({sum, product}).to(at::kDouble);
    const auto all = (kept_in(context->saved_data["gather"])(own).sum(0) / rows).chunk(2);
    const Tensor scale = weight.defined() ? saved[3] * weight : saved[3];
    const Tensor input = (gradient - spread(all[0], x) - normed * spread(all[1], x)) * spread(scale, x);
    if (!weight.defined()) return {input.to(saved[0].scalar_type()), Tensor(), Tensor(), Tensor()};
    return {input.to(saved[0].scalar_type()), product.to(weight.scalar_type()), sum.to(weight.scalar_type()), Tensor()};
  }
};

std::optional<Tensor> if_defined(const Tensor& x) { return x.defined() ? std::optional(x) : std::nullopt; }

}  // namespace

c10::IValue kept(const Gather& gather) { return c10::IValue::make_capsule(c10::make_intrusive<KeptGather>(gather)); }

Gather kept_in(const c10::IValue& value) { return static_cast<KeptGather&>(*value.toCapsule()).gather; }

Moments over_ranks(const Moments& own, const Gather& gather) {
  const Tensor rows = at::full({1}, own.rows, own.mean.options());
  const Tensor all = gather(at::cat({rows, own.mean, own.variance}));  // [ranks, 1 + 2 channels]
  const int64_t channels = own.mean.size(0);
  const Tensor counts = all.narrow(1, 0, 1), means = all.narrow(1, 1, channels);
  const Tensor sum = counts.sum(), mean = (counts * means).sum(0) / sum;
  const Tensor squares = all.narrow(1, 1 + channels, channels) + (means - mean).square();
  return {sum.item<double>(), mean, (counts * squares).sum(0) / sum};
}

Tensor synced_batch_norm(const NormState& norm, const Tensor& x) {
  return SyncedNorm::apply(x, if_defined(norm.weight), if_defined(norm.bias), norm);
}

}  // namespace freeatm::ops
