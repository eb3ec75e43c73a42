// SPDX-License-Identifier: Apache-2.0
#include "freeatm/training/objective_loader.h"

#include <algorithm>
#include <utility>

namespace freeatm::training {

data::Loader objective_loader(std::shared_ptr<const Objective> objective, const data::Dataset& dataset,
                              const data::LoaderOptions& options, uint64_t seed, const RunLength& length) {
  const auto prepare = [objective, length](data::Sample&& sample, RandomStream& random, const data::BatchPlace& at) {
    const int64_t step = at.epoch * length.steps_per_epoch + at.step / length.accumulate;
    const double progress = length.total_steps == 0 ? 0 : std::min(1.0, length.progress(step));
    return objective->prepare(std::move(sample), random, progress);
  };
  const auto collate = [objective = std::move(objective)](std::vector<data::View>&& views,
                                                          const std::vector<std::string>& keys) {
    return objective->collate(std::move(views), keys);
  };
  return {dataset, prepare, options, seed, collate};
}

}  // namespace freeatm::training
