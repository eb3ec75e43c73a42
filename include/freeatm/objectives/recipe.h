// SPDX-License-Identifier: Apache-2.0
// Pretraining methods by their names in a config: a new one is a source of its own and a line in
// src/objectives/recipe.cpp.
#pragma once
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "freeatm/config/fields.h"
#include "freeatm/data/dataset.h"
#include "freeatm/models/backbone.h"
#include "freeatm/runs/identity.h"
#include "freeatm/training/objective.h"
#include "freeatm/training/train_run.h"

namespace freeatm::objectives {

/// Each call gives another backbone, with the same first weights.
using MakeBackbone = std::function<std::shared_ptr<models::Backbone>()>;

/// A method's options, the data that they ask for, and how the objective is made of them.
class Recipe {
 public:
  virtual ~Recipe() = default;
  virtual void fields(config::Fields& f) = 0;
  /// The dataset as the options want it: with a control's masks, with swapped backgrounds. Throws UserError where it
  /// cannot be that.
  virtual std::unique_ptr<data::Dataset> wrap(std::unique_ptr<data::Dataset> dataset) const { return dataset; }
  virtual std::shared_ptr<training::Objective> make(const MakeBackbone& backbone, uint64_t seed) const = 0;
  /// Whether its loss compares the pictures of a batch, which one alone cannot be.
  virtual bool contrasts() const { return false; }
  /// What the objective is made from beside data and backbone: a run goes on with the same.
  virtual std::vector<runs::Input> inputs() const { return {}; }
  /// What a person may look at while it trains: FOLDER/step_N.png and FOLDER/caption.txt, which `freeatm view` shows.
  ///   run: of an objective that this recipe made; dataset: as `wrap` gave it; both outlive the run
  virtual void add_previews(training::TrainRun& /*run*/, const data::Dataset& /*dataset*/,
                            const fs::path& /*folder*/) const {}
};

/// The names of all methods, and the recipe of one with its default options; none for another name.
std::vector<std::string> recipe_names();
std::unique_ptr<Recipe> make_recipe(const std::string& name);

/// A method by its name, and its options.
struct ObjectiveOptions {
  std::string name = "moco_v3";
  std::shared_ptr<Recipe> recipe;
  void fields(config::Fields& f);
};

}  // namespace freeatm::objectives
