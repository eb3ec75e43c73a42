// SPDX-License-Identifier: Apache-2.0
// Backbones by their names in a config: a new one is a source of its own and a line in src/models/model.cpp.
#pragma once
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "freeatm/config/fields.h"
#include "freeatm/models/backbone.h"

namespace freeatm::models {

/// An architecture's options, and what is made of them.
class Architecture {
 public:
  virtual ~Architecture() = default;
  virtual std::unique_ptr<Architecture> clone() const = 0;
  virtual void fields(config::Fields& f) = 0;
  virtual std::shared_ptr<Backbone> make(uint64_t seed) const = 0;
  virtual void fit_to_pictures(int64_t side, const std::string& key) = 0;
  virtual bool prepare_finetuning(const std::optional<std::string>& global_pool) = 0;
  virtual bool prepare_detection(int64_t window_size, bool relative_positions) = 0;
};

/// The names of all architectures, and one with its default options; none for another name.
std::vector<std::string> model_names();
std::unique_ptr<Architecture> make_architecture(const std::string& name);

/// A config's `model`. A value: a copy has options of its own.
class ModelOptions {
 public:
  explicit ModelOptions(const std::string& name = "resnet");
  ModelOptions(const ModelOptions& other);
  ModelOptions& operator=(const ModelOptions& other);
  ModelOptions(ModelOptions&&) = default;
  ModelOptions& operator=(ModelOptions&&) = default;

  void fields(config::Fields& f);
  const std::string& name() const { return name_; }

  /// What a model must know of the pictures that it will see, side x side pixels: positions for their grid. Throws
  /// UserError("", key, ...) where they do not fit.
  ///   key: what names the side in the config
  void fit_to_pictures(int64_t side, const std::string& key);

  /// Nothing frozen, and the pooling that is asked for. Throws UserError("", "global_pool", ...) where the model has no
  /// such pooling.
  void prepare_finetuning(const std::optional<std::string>& global_pool);

  /// ViTDet's windows (0: as it is) and relative positions (false: as it is), without a class token then. Throws
  /// UserError("", "objective.window_size", ...) where the model knows neither.
  void prepare_detection(int64_t window_size, bool relative_positions);

  /// The backbone with its first weights: a function of the options and the seed.
  std::shared_ptr<Backbone> make(uint64_t seed) const { return architecture_->make(seed); }

 private:
  std::string name_;
  std::unique_ptr<Architecture> architecture_;  // of that name
};

}  // namespace freeatm::models
