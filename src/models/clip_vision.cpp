// SPDX-License-Identifier: Apache-2.0
#include "freeatm/models/clip_vision.h"

#include <cmath>

#include <ATen/ATen.h>
#include <torch/nn/modules/embedding.h>

#include "freeatm/core/error.h"
#include "freeatm/models/initialize.h"

#include "clip_layer.h"

namespace freeatm::models {
namespace {

using at::Tensor;

constexpr double kClipDeviation = 0.02;

}  // namespace

void ClipVisionOptions::fields(config::Fields& f) {
  f("image_size", image_size, "side of the pictures that the positions are for, pixels; others get them resized",
    config::between(8, 4096));
  f("patch_size", patch_size, "side of a patch, pixels", config::between(1, 256));
  f("dim", dim, "channels of a token", config::between(4, 8192));
  f("depth", depth, "layers", config::between(1, 128));
  f("heads", heads, "of the attention; they divide dim", config::between(1, 256));
  f("mlp_dim", mlp_dim, "width of a layer's MLP", config::between(1, 65536));
  f("activation", activation, "quick_gelu: OpenAI's; gelu: what many others are trained with",
    config::any_of({"quick_gelu", "gelu"}));
  f("layer_norm_eps", layer_norm_eps, "of all norms", config::more_than(0));
  if (!f.reading()) return;
  if (image_size % patch_size != 0)
    f.refuse("image_size", format("{} is no multiple of patch_size {}", image_size, patch_size));
  if (dim % heads != 0) f.refuse("heads", format("{} does not divide dim {}", heads, dim));
}

void ClipVisionOptions::fit_to_pictures(int64_t side, const std::string& key) {
  if (side % patch_size != 0)
    throw UserError("", key, "{} is no multiple of the model's patch_size {}", side, patch_size);
  image_size = side;
}

Tensor resized_clip_positions(const Tensor& positions, int64_t height, int64_t width) {
  const auto side = std::lround(std::sqrt(static_cast<double>(positions.size(0) - 1)));
  if (side == height && side == width) return positions;
  const Tensor grid = positions.slice(0, 1).to(at::kFloat).t().reshape({1, -1, side, side});
  const Tensor resized = at::upsample_bicubic2d(grid, {height, width}, /*align_corners=*/false);
  return at::cat({positions.slice(0, 0, 1), resized[0].flatten(1).t().to(positions.scalar_type())});
}

struct ClipVisionEmbeddings : torch::nn::Module {
  explicit ClipVisionEmbeddings(const ClipVisionOptions& o)
      : class_token(register_parameter("class_embedding", at::zeros({o.dim}))),
        patches(register_module(
            "patch_embedding",
            torch::nn::Conv2d(torch::nn::Conv2dOptions(3, o.dim, o.patch_size).stride(o.patch_size).bias(false)))) {
    const int64_t side = o.image_size / o.patch_size;
    positions = register_module("position_embedding", torch::nn::Embedding(1 + side * side, o.dim));
  }

  // [B, 3, H, W] -> [B, 1 + h * w, dim]
  Tensor forward(const Tensor& pixels) {
    const Tensor grid = patches(pixels);
    const Tensor first = class_token.to(grid.scalar_type()).expand({grid.size(0), 1, -1});
    return at::cat({first, grid.flatten(2).transpose(1, 2)}, 1) +
           resized_clip_positions(positions->weight, grid.size(2), grid.size(3));
  }

  Tensor class_token;
  torch::nn::Conv2d patches;
  torch::nn::Embedding positions{nullptr};
};

ClipVision::ClipVision(const ClipVisionOptions& o) : options_(o) {
  embeddings_ = register_module("embeddings", std::make_shared<ClipVisionEmbeddings>(o));
  pre_norm_ = register_module("pre_layrnorm", clip_norm(o.dim, o.layer_norm_eps));  // transformers' spelling
  const ClipEncoderOptions encoder{
      o.dim, o.depth, o.heads, o.mlp_dim, o.activation, o.layer_norm_eps, /*is_causal=*/false};
  encoder_ = register_module("encoder", std::make_shared<ClipEncoder>(encoder));
  post_norm_ = register_module("post_layernorm", clip_norm(o.dim, o.layer_norm_eps));
}

Tensor ClipVision::tokens(const Tensor& pixels) {
  const int64_t patch = options_.patch_size;
  if (pixels.size(2) % patch != 0 || pixels.size(3) % patch != 0) {
    throw UserError("", "model.patch_size", "{} does not divide the pictures' {}x{} pixels", patch, pixels.size(3),
                    pixels.size(2));
  }
  return encoder_->forward(pre_norm_(embeddings_->forward(pixels)));
}

Tensor ClipVision::normed(const Tensor& tokens) { return post_norm_(tokens); }

Backbone::Output ClipVision::run(const Tensor& images, const Tensor& /*path_scales*/, const Wanted& wanted) {
  if (!scale_.defined() || scale_.device() != images.device() || scale_.scalar_type() != images.scalar_type()) {
    const auto of = [&](std::initializer_list<double> values) {
      return at::tensor(values, images.options()).view({3, 1, 1});
    };
    const Tensor clip_deviation = of({0.26862954, 0.26130258, 0.27577711});
    scale_ = of({0.229, 0.224, 0.225}) / clip_deviation;
    shift_ = (of({0.485, 0.456, 0.406}) - of({0.48145466, 0.4578275, 0.40821073})) / clip_deviation;
  }
  const Tensor all = tokens(at::addcmul(shift_, images, scale_));
  Output out;
  if (wanted.levels > 0) {
    const int64_t height = images.size(2) / options_.patch_size;
    const Tensor patches = normed(all.slice(1, 1));
    out.levels.push_back({patches.transpose(1, 2).unflatten(2, {height, -1}), options_.patch_size});
  }
  if (wanted.pooled) out.pooled = normed(all.select(1, 0));
  return out;
}

void ClipVision::initialize(uint64_t seed) {
  const at::NoGradGuard no_grad;
  const RandomStream random(seed, "weights");
  initialize_clip_layers(*this, options_.dim, options_.depth, random);
  fill_normal(embeddings_->class_token, 1 / std::sqrt(static_cast<double>(options_.dim)),
              random.fork("class_embedding"));
  fill_normal(embeddings_->patches->weight, kClipDeviation, random.fork("patch_embedding"));
  fill_normal(embeddings_->positions->weight, kClipDeviation, random.fork("position_embedding"));
}

}  // namespace freeatm::models
