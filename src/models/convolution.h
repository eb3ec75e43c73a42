// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <torch/nn/modules/conv.h>

namespace freeatm::models {

/// A convolution that may keep its weight in oneDNN's own layout. LibTorch makes that layout anew at every call, which
/// on coarse grids costs more than the convolution.
class ConvolutionImpl : public torch::nn::Conv2dImpl {
 public:
  using Conv2dImpl::Conv2dImpl;

  /// x: [B, in_channels, h, w]
  at::Tensor forward(const at::Tensor& x) { return convolve(x, bias); }
  ///   bias: [out_channels], in the place of its own
  at::Tensor convolve(const at::Tensor& x, const at::Tensor& bias);

  /// For inference alone, by one thread: the first call makes the layout, in this type, and empties the weight. Results
  /// have the channels last then. False where the weight stays: oneDNN does not compute this type and device, or the
  /// kernel is 1x1. That is a matrix product, for which the layout depends on the input's size: with another one than
  /// the first it takes tens of times as long.
  bool pack_when_used(at::Device device, at::ScalarType dtype);

 private:
  void pack();

  bool is_product_ = false;                    // 1x1, computed as such
  std::optional<at::ScalarType> packed_type_;  // none: the weight is as the module made it
  at::Tensor packed_;                          // undefined until it is used
};
TORCH_MODULE(Convolution);

}  // namespace freeatm::models
