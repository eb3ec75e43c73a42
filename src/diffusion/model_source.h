// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <vector>

#include "freeatm/diffusion/harvest.h"

namespace freeatm::diffusion {

/// What both sources share: a batch's prompts, the harvester that looks on, and what becomes of its maps.
class ModelSource : public HarvestSource {
 public:
  ModelSource(const Pipeline& pipeline, const text::PhraseFinder& phrases, const HarvestRunOptions& options,
              const SamplerOptions& sampler)
      : pipeline_(pipeline), phrases_(phrases), options_(options), sampler_(pipeline, sampler) {}

 protected:
  AttentionHarvester harvester(const PromptBatch& prompts, const HarvestOptions& options) const {
    const auto [height, width] = sampler_.latent_size();
    return {options, height, width, prompts.token_counts(), options_.masks.needs_self_attention()};
  }

  /// Fills in the maps, the phrases' tokens and what is known of the pictures.
  void complete(std::vector<Harvested>& pictures, int64_t begin, const PromptBatch& prompts,
                const AttentionHarvester& harvester) const;

  uint32_t seed(int64_t index) const { return static_cast<uint32_t>(options_.seed + index); }
  std::vector<uint32_t> seeds(int64_t begin, int64_t end) const {
    std::vector<uint32_t> all;
    for (int64_t i = begin; i < end; ++i) all.push_back(seed(i));
    return all;
  }

  const Pipeline& pipeline_;
  const text::PhraseFinder& phrases_;
  const HarvestRunOptions& options_;
  Sampler sampler_;

 private:
  void warn_of_cut(const data::Sample& sample, const text::Encoding& encoding) const;
  mutable bool has_warned_ = false;
};

}  // namespace freeatm::diffusion
