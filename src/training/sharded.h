// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "freeatm/runtime/ranks.h"
#include "freeatm/training/optimizer.h"

namespace freeatm::training {

/// Each rank remembers and updates a part of the parameters and gives it to the others (ZeRO, Rajbhandari et al. 2020,
/// stage 1; with gradients, stage 2). The same updates as without: what is clipped is the length of all gradients.
class ShardedOptimizer final : public Optimizer {
 public:
  ///   gradients: nobody else keeps a summed gradient
  ShardedOptimizer(const OptimizerOptions& options, std::vector<ParameterGroup> groups, runtime::Ranks& ranks,
                   bool gradients);

  /// All ranks call it; the first gets the whole.
  weights::TensorMap state() const override;
  void load(const weights::TensorMap& saved, const std::string& file) override;
  void share() override;
  std::function<int64_t(const at::Tensor&)> owner() const override;

 private:
  void clip() override;
  void update() override;
  void exchange_parameters() const;

  runtime::Ranks& ranks_;
  bool gradients_;
  std::vector<std::vector<at::Tensor>> parts_;  // the parameters of each rank
  std::unordered_map<const void*, int64_t> owners_;
  std::unique_ptr<Optimizer> own_;
  weights::TensorMap loaded_;  // between load and share
  std::string loaded_from_;
};

}  // namespace freeatm::training
