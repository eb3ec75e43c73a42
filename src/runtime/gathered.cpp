// SPDX-License-Identifier: Apache-2.0
#include <ATen/ATen.h>
#include <torch/csrc/autograd/custom_function.h>

#include "freeatm/runtime/ranks.h"

namespace freeatm::runtime {
namespace {

using at::Tensor;
using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

/// The rows of all ranks; backward, each rank has the sum of all gradients and keeps its rows of it.
class Gather : public torch::autograd::Function<Gather> {
 public:
  static Tensor forward(AutogradContext* context, const Tensor& x, int64_t begin, const Tensor& all, int64_t of_ranks) {
    context->saved_data["begin"] = begin;
    context->saved_data["rows"] = x.size(0);
    context->saved_data["ranks"] = of_ranks;
    return all;
  }

  static variable_list backward(AutogradContext* context, const variable_list& gradients) {
    auto* of_ranks = reinterpret_cast<Ranks*>(context->saved_data["ranks"].toInt());  // backward may be another thread
    const Tensor sum = gradients[0].clone(at::MemoryFormat::Contiguous);
    of_ranks->sum(sum);
    return {sum.narrow(0, context->saved_data["begin"].toInt(), context->saved_data["rows"].toInt()), {}, {}, {}};
  }
};

Tensor with_gradient(const Tensor& x, int64_t begin, const Tensor& all) {
  if (!x.requires_grad() || !at::GradMode::is_enabled()) return all;
  return Gather::apply(x, begin, all, reinterpret_cast<int64_t>(&ranks()));
}

}  // namespace

double share_of_mean(int64_t count) {
  if (ranks().is_alone()) return 1;
  const Tensor sum = at::full({1}, static_cast<double>(count), at::kDouble);
  ranks().sum(sum);
  const double all = sum.item<double>();
  return all == 0 ? 1 : static_cast<double>(count) * static_cast<double>(ranks().rank().world) / all;
}

int64_t rows_before(int64_t rows) {
  if (ranks().is_alone()) return 0;
  const Tensor counts = ranks().gather(at::full({1}, rows, at::kLong));
  return counts.narrow(0, 0, ranks().rank().index).sum().item<int64_t>();
}

Tensor gathered(const Tensor& x) {
  if (ranks().is_alone()) return x;
  return with_gradient(x, ranks().rank().index * x.size(0), ranks().gather(x));
}

Tensor gathered_rows(const Tensor& x) {
  if (ranks().is_alone()) return x;
  return with_gradient(x, rows_before(x.size(0)), ranks().gather_rows(x));
}

}  // namespace freeatm::runtime
