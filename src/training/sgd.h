// SPDX-License-Identifier: Apache-2.0
// The optimisers that remember one buffer a parameter.
#pragma once
#include <vector>

#include "freeatm/training/optimizer.h"

namespace freeatm::training {

class MomentumOptimizer : public Optimizer {
 public:
  MomentumOptimizer(const OptimizerOptions& options, std::vector<ParameterGroup> groups);
  weights::TensorMap state() const override;

 protected:
  OptimizerOptions options_;
  std::vector<std::vector<at::Tensor>> buffers_;  // of each group, in its order; none without momentum
};

/// SGD with momentum (Sutskever et al. 2013) in LibTorch's fused kernel. Equals `torch.optim.SGD` without dampening:
///   v = momentum v + g + decay w;  w -= lr v  (nesterov: lr (g + decay w + momentum v))
class Sgd final : public MomentumOptimizer {
 public:
  using MomentumOptimizer::MomentumOptimizer;

 private:
  void update() override;
};

/// LARS, You et al. 2017, as MoCo v3 has it: what has one dimension is neither decayed nor scaled.
///   u = g + decay w;  u *= trust_coefficient |w| / |u| where both are more than 0;  v = momentum v + u;  w -= lr v
class Lars final : public MomentumOptimizer {
 public:
  Lars(const OptimizerOptions& options, std::vector<ParameterGroup> groups);

 private:
  void update() override;
};

}  // namespace freeatm::training
