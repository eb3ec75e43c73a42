// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <ATen/core/Tensor.h>

#include "freeatm/config/fields.h"
#include "freeatm/training/objective.h"
#include "freeatm/weights/safetensors.h"

namespace freeatm::training {

struct OptimizerOptions {
  std::string name = "adamw";         // "adamw" | "sgd" | "lars"
  double beta1 = 0.9, beta2 = 0.999;  // adamw
  double epsilon = 1e-8;              // adamw
  double momentum = 0.9;              // sgd, lars
  bool nesterov = false;              // sgd
  double trust_coefficient = 0.001;   // lars
  double weight_decay = 0.05;
  std::optional<double> clip_norm;  // all gradients together are made no longer than this
  void fields(config::Fields& f);
};

class Optimizer {
 public:
  explicit Optimizer(std::vector<ParameterGroup> groups, std::optional<double> clip_norm = {})
      : groups_(std::move(groups)), clip_norm_(clip_norm) {}
  virtual ~Optimizer() = default;

  void set_learning_rate(double learning_rate) { learning_rate_ = learning_rate; }
  double learning_rate() const { return learning_rate_; }

  /// One update by the gradients that the parameters have, clipped as `torch.nn.utils.clip_grad_norm_` does; then the
  /// gradients are gone.
  void step();
  /// The gradients of the loss and one update.
  void backward_and_step(const at::Tensor& loss);

  /// What the updates remember, by parameter name: the tensors themselves, to save or to load into.
  virtual weights::TensorMap state() const = 0;
  /// Takes what `state` gave. Throws UserError(file, ...) where it lacks something.
  virtual void load(const weights::TensorMap& saved, const std::string& file);
  /// Several ranks: the first one's state becomes everyone's; all of them call it.
  virtual void share();

  const std::vector<ParameterGroup>& groups() const { return groups_; }
  /// Of each parameter the only rank that needs its gradient; none: all do.
  virtual std::function<int64_t(const at::Tensor&)> owner() const { return {}; }

 protected:
  /// Parameters beside their gradients, as the fused kernels want them.
  struct Lists {
    std::vector<at::Tensor> parameters, gradients;
  };
  static Lists lists_of(const ParameterGroup& group);
  virtual void clip();  // all gradients together to clip_norm_
  virtual void update() = 0;

  std::vector<ParameterGroup> groups_;
  std::optional<double> clip_norm_;
  double learning_rate_ = 0;
};

/// The one table of optimisers.
std::unique_ptr<Optimizer> make_optimizer(const OptimizerOptions& options, std::vector<ParameterGroup> groups);
/// One of which each of runtime::ranks() has a part.
///   shard: "none", "optimizer" (its state) or "gradients" (and the summed gradients)
std::unique_ptr<Optimizer> make_sharded_optimizer(const OptimizerOptions& options, std::vector<ParameterGroup> groups,
                                                  const std::string& shard);

}  // namespace freeatm::training
