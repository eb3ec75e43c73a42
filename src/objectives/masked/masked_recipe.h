// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cstdint>
#include <memory>
#include <utility>

#include "freeatm/data/controls.h"
#include "freeatm/objectives/masked/masked.h"
#include "freeatm/objectives/masked/reconstructions.h"
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
  void add_previews(training::TrainRun& run, const data::Dataset& dataset, const fs::path& folder) const override {
    const ReconstructionsOptions& wanted = options_.common.reconstructions;
    if (!wanted.every) return;
    const training::RunLength length = run.length();
    const auto show =
        std::make_shared<Reconstructions>(dynamic_cast<Masked&>(run.objective()), dataset, wanted.pictures);
    run.add_preview(*wanted.every * length.steps_per_epoch,
                    [=](int64_t step) { show->write(folder, step, length.progress(step)); });
  }

 private:
  Options options_;
};

}  // namespace freeatm::objectives
