// SPDX-License-Identifier: Apache-2.0
#pragma once
#include "freeatm/training/optimizer.h"

namespace freeatm::training {

/// AdamW, Loshchilov & Hutter 2019, in LibTorch's fused kernel (CPU and CUDA): one pass over all parameters. Equals
/// `torch.optim.AdamW`.
class AdamW final : public Optimizer {
 public:
  AdamW(const OptimizerOptions& options, std::vector<ParameterGroup> groups);
  weights::TensorMap state() const override;

 private:
  struct Moments {  // of one group, in its order
    std::vector<at::Tensor> mean, square;
  };
  void update() override;

  OptimizerOptions options_;
  std::vector<Moments> moments_;
  at::Tensor step_;  // float scalar on the parameters' device, shared by all of them
};

}  // namespace freeatm::training
