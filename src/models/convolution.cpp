// SPDX-License-Identifier: Apache-2.0
#include "convolution.h"

#include <array>
#include <string_view>

#include <ATen/Context.h>
#include <ATen/core/List.h>
#include <ATen/core/dispatch/Dispatcher.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/conv2d.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/linear.h>

#include "freeatm/core/mapped_file.h"
#include "freeatm/runtime/device.h"

namespace freeatm::models {
namespace {

using Scalars = c10::List<std::optional<at::Scalar>>;
using Pack = at::Tensor(const at::Tensor&, at::IntArrayRef, at::IntArrayRef, at::IntArrayRef, int64_t,
                        at::OptionalIntArrayRef);
using Convolve = at::Tensor(const at::Tensor&, const at::Tensor&, const std::optional<at::Tensor>&, at::IntArrayRef,
                            at::IntArrayRef, at::IntArrayRef, int64_t, std::string_view, Scalars,
                            std::optional<std::string_view>);

// LibTorch's operators over oneDNN that its compiler uses; they have no function in ATen's headers.
template <class Signature>
c10::TypedOperatorHandle<Signature> onednn(const char* name) {
  return c10::Dispatcher::singleton().findSchemaOrThrow(name, "").typed<Signature>();
}

}  // namespace

at::Tensor ConvolutionImpl::convolve(const at::Tensor& x, const at::Tensor& bias) {
  if (is_product_) {
    const at::Tensor pixels =
        x.contiguous(at::MemoryFormat::ChannelsLast).permute({0, 2, 3, 1});  // [B, h, w, channels]
    return at::linear(pixels, weight.flatten(1), bias).permute({0, 3, 1, 2});
  }
  if (packed_type_ && !packed_.defined()) pack();
  const auto& padding = std::get<torch::ExpandingArray<2>>(options.padding());
  if (!packed_type_)
    return at::conv2d(x, weight, bias, options.stride(), padding, options.dilation(), options.groups());
  static const auto convolve = onednn<Convolve>("mkldnn::_convolution_pointwise");
  return convolve.call(x.contiguous(at::MemoryFormat::ChannelsLast), packed_,
                       bias.defined() ? std::optional(bias) : std::nullopt, *padding, *options.stride(),
                       *options.dilation(), options.groups(), "none", Scalars(), "");
}

bool ConvolutionImpl::pack_when_used(at::Device device, at::ScalarType dtype) {
  const bool is_there = at::hasMKLDNN() && at::globalContext().userEnabledMkldnn();
  const bool computes = (dtype == at::kFloat || dtype == at::kBFloat16) && runtime::computes_natively(device, dtype);
  if (!device.is_cpu() || !is_there || !computes) return false;
  constexpr std::array<int64_t, 2> kOnes{1, 1}, kZeros{0, 0};
  is_product_ = *options.kernel_size() == kOnes && *options.stride() == kOnes && options.groups() == 1 &&
                *std::get<torch::ExpandingArray<2>>(options.padding()) == kZeros;
  if (!is_product_) packed_type_ = dtype;
  return !is_product_;
}

void ConvolutionImpl::pack() {
  const at::NoGradGuard no_grad;
  static const auto pack = onednn<Pack>("mkldnn::_reorder_convolution_weight");
  const at::Tensor given = weight.detach();
  packed_ = pack.call(given.to(*packed_type_).contiguous(), *std::get<torch::ExpandingArray<2>>(options.padding()),
                      *options.stride(), *options.dilation(), options.groups(), std::nullopt);
  release_mapped(given.const_data_ptr(), given.nbytes());
  weight.set_data(at::empty({0}, given.options()));
}

}  // namespace freeatm::models
