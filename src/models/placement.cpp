// SPDX-License-Identifier: Apache-2.0
#include "freeatm/models/placement.h"

#include <ATen/core/grad_mode.h>

#include "freeatm/core/mapped_file.h"

#include "convolution.h"

namespace freeatm::models {
namespace {

void move(at::Tensor& weight, at::Device device, at::ScalarType dtype, bool copies) {
  const at::Tensor given = weight.detach();
  const at::ScalarType type = given.is_floating_point() ? dtype : given.scalar_type();
  const at::Tensor own = given.to(device, type, /*non_blocking=*/false, copies).contiguous();
  if (own.is_alias_of(given)) return;
  weight.set_data(own);
  if (given.device().is_cpu()) release_mapped(given.const_data_ptr(), given.nbytes());
}

}  // namespace

void place(torch::nn::Module& model, at::Device device, at::ScalarType dtype, Use use) {
  const at::NoGradGuard no_grad;
  for (const auto& part : model.modules()) {
    auto* convolution = part->as<ConvolutionImpl>();
    const bool packs = use == Use::kDraw && convolution != nullptr && convolution->pack_when_used(device, dtype);
    for (auto& weight : part->named_parameters(/*recurse=*/false)) {
      if (!packs || weight.key() != "weight") move(weight.value(), device, dtype, use == Use::kTrain);
    }
    for (auto& buffer : part->named_buffers(/*recurse=*/false)) move(buffer.value(), device, dtype, use == Use::kTrain);
  }
}

}  // namespace freeatm::models
