// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cstdint>
#include <memory>

#include <torch/nn/modules/linear.h>

#include "freeatm/objectives/masked/masked.h"
#include "freeatm/objectives/recipe.h"

namespace freeatm::objectives {

struct SimMimOptions {
  MaskedOptions common{.masking = {.mask_ratio = 0.6}};
  void fields(config::Fields& f) { common.fields(f); }
};

/// SimMIM, Xie et al. 2022: a mask token takes the place of hidden patches in the encoder, and one linear layer
/// predicts their pixels, as ImageNet's mean and deviation normalise them; L1.
class SimMim final : public Masked {
 public:
  SimMim(std::shared_ptr<models::Backbone> backbone, const SimMimOptions& options, uint64_t seed);
  Reconstruction reconstruct(const at::Tensor& pixels, const at::Tensor& hidden) override;
  at::Tensor as_unit(const at::Tensor& values, const at::Tensor& pixels) override;

 protected:
  at::Tensor patch_losses(const Reconstruction& both) const override;

 private:
  at::Tensor mask_token_;  // [1, 1, dim]
  torch::nn::Linear decoder_{nullptr};
};

std::unique_ptr<Recipe> simmim_recipe();

}  // namespace freeatm::objectives
