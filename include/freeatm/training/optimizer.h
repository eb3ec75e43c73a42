// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cstdint>
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

 protected:
  /// Parameters beside their gradients, as the fused kernels want them.
  struct Lists {
    std::vector<at::Tensor> parameters, gradients;
  };
  static Lists lists_of(const ParameterGroup& group);
  virtual void update() = 0;

  std::vector<ParameterGroup> groups_;
  std::optional<double> clip_norm_;
  double learning_rate_ = 0;
};

/// The one table of optimisers.
std::unique_ptr<Optimizer> make_optimizer(const OptimizerOptions& options, std::vector<ParameterGroup> groups);

}  // namespace freeatm::training
