// SPDX-License-Identifier: Apache-2.0
#include <utility>

#include <ATen/ATen.h>
#include <torch/nn/modules/container/functional.h>
#include <torch/nn/modules/container/sequential.h>
#include <torch/nn/modules/conv.h>

#include "freeatm/core/error.h"
#include "freeatm/models/norm.h"
#include "freeatm/models/vit.h"

#include "heads.h"

namespace freeatm::models {
namespace {

using at::Tensor;

class StageLevels final : public DenseLevels {
 public:
  explicit StageLevels(const Backbone& backbone) : levels_(backbone.levels()) {}

  std::vector<Tensor> forward(Backbone& backbone, const Tensor& images, const Tensor& path_scales) override {
    std::vector<Tensor> out;
    for (const FeatureLevel& level : backbone.forward_levels(images, path_scales)) out.push_back(level.tensor);
    return out;
  }
  std::vector<LevelShape> levels() const override { return levels_; }

 private:
  std::vector<LevelShape> levels_;
};

torch::nn::ConvTranspose2d twice_the_grid(int64_t dim) {
  return torch::nn::ConvTranspose2d(torch::nn::ConvTranspose2dOptions(dim, dim, 2).stride(2));
}

class BlockLevels final : public DenseLevels {
 public:
  BlockLevels(ViT& vit, bool is_scaled) : is_scaled_(is_scaled) {
    for (auto& item : vit.named_parameters()) {  // the final norm is not asked
      if (item.key().starts_with("norm.") || item.key().starts_with("fc_norm.")) item.value().requires_grad_(false);
    }
    const auto [dim, stride] = vit.levels().back();
    const int64_t depth = vit.depth();
    for (const int64_t sixths : {2, 3, 4, 6}) behind_.push_back(std::max<int64_t>(1, depth * sixths / 6));
    if (!is_scaled) {
      levels_.assign(behind_.size(), {dim, stride});
      return;
    }
    FREEATM_CHECK(stride >= 4, "patches of {} pixels have no level of a quarter of their stride", stride);
    levels_ = {{dim, stride / 4}, {dim, stride / 2}, {dim, stride}, {dim, 2 * stride}};
    fpn1_ = register_module(
        "fpn1",
        torch::nn::Sequential(twice_the_grid(dim), Norm(dim),
                              torch::nn::Functional([](const Tensor& x) { return at::gelu(x); }), twice_the_grid(dim)));
    fpn2_ = register_module("fpn2", torch::nn::Sequential(twice_the_grid(dim)));
  }

  std::vector<Tensor> forward(Backbone& backbone, const Tensor& images, const Tensor& path_scales) override {
    auto* vit = backbone.as<ViT>();
    FREEATM_CHECK(vit != nullptr, "the levels of a ViT's blocks, of another backbone");
    std::vector<Tensor> grids = vit->grids_behind(behind_, images, path_scales);
    if (!is_scaled_) return grids;
    return {fpn1_->forward(grids[0]), fpn2_->forward(grids[1]), grids[2], at::max_pool2d(grids[3], 2, 2)};
  }
  std::vector<LevelShape> levels() const override { return levels_; }

 private:
  bool is_scaled_;
  std::vector<int64_t> behind_;  // so many blocks
  std::vector<LevelShape> levels_;
  torch::nn::Sequential fpn1_{nullptr}, fpn2_{nullptr};
};

}  // namespace

std::shared_ptr<DenseLevels> dense_levels(Backbone& backbone, bool is_scaled) {
  auto* vit = backbone.as<ViT>();
  if (vit == nullptr) return std::make_shared<StageLevels>(backbone);
  return std::make_shared<BlockLevels>(*vit, is_scaled);
}

}  // namespace freeatm::models
