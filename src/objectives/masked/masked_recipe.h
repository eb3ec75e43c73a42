// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cstdint>
#include <memory>
#include <utility>

#include "freeatm/data/controls.h"
#include "freeatm/objectives/masked/masked.h"
#include "freeatm/objectives/recipe.h"

namespace freeatm::objectives {

template <class Method, class Options>
class MaskedRecipe final : public Recipe {
 public:
  void fields(config::Fields& f) override { options_.fields(f); }
  std::unique_ptr<data::Dataset> wrap(std::unique_ptr<data::Dataset> dataset) const override {
    return data::with_control(std::move(dataset), options_.common.control);
  }
  std::shared_ptr<training::Objective> make(const MakeBackbone& backbone, uint64_t seed) const override {
    return std::make_shared<Method>(backbone(), options_, seed);
  }

 private:
  Options options_;
};

}  // namespace freeatm::objectives
