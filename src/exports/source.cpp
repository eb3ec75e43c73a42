// SPDX-License-Identifier: Apache-2.0
#include "freeatm/exports/source.h"

#include <ATen/ATen.h>

#include "freeatm/config/named_options.h"
#include "freeatm/core/error.h"
#include "freeatm/runs/run_folder.h"
#include "freeatm/weights/load.h"

namespace freeatm::exports {
namespace {

constexpr const char *kHeadWeight = "head.weight", *kHeadBias = "head.bias";

template <class Options>
Options read_options(const config::Node& tree) {
  return config::read<config::NamedOptions<Options>>({.command = "export", .tree = tree}).options;
}

int64_t whole_or(const config::Node& tree, const char* path, int64_t otherwise) {
  const config::Node* found = tree.find_path(path);
  const int64_t* value = found == nullptr ? nullptr : std::get_if<int64_t>(&found->value());
  return value == nullptr ? otherwise : *value;
}

PictureFacts pictures_of_run(const fs::path& run, int64_t otherwise) {
  const config::Node config = runs::run_config(run, "checkpoint");
  const auto says = [&](const char* path, const std::string& text) {
    const config::Node* found = config.find_path(path);
    return found != nullptr && found->text() == text;
  };
  const bool has_scenes = says("objective.loss", "binary_cross_entropy") || says("objective.name", "vision_language");
  return {.size = whole_or(config, "objective.augment.size", otherwise), .is_squeezed = has_scenes};
}

}  // namespace

weights::TensorMap plain_tensors(const weights::TensorMap& tensors) {
  weights::TensorMap out;
  for (const auto& [name, tensor] : tensors) {
    const at::ScalarType dtype = tensor.is_floating_point() ? at::kFloat : tensor.scalar_type();
    out[name] = tensor.detach().to(at::kCPU, dtype).contiguous();
  }
  return out;
}

models::ClipVisionOptions clip_vision_options(const models::ModelOptions& model) {
  return read_options<models::ClipVisionOptions>(config::dump(model));
}

Source source_of(const objectives::Pretrained& start, bool wants_head) {
  Source out{.where = start.where};
  const config::Node model = config::dump(start.model);
  const std::string& name = start.model.name();
  out.pictures.size = whole_or(model, "image_size", out.pictures.size);
  if (start.is_run()) out.pictures = pictures_of_run(start.run, out.pictures.size);
  if (name == "resnet")
    out.model = read_options<models::ResNetOptions>(model);
  else if (name == "vit")
    out.model = read_options<models::ViTOptions>(model);
  else
    out.model = clip_vision_options(start.model);
  out.tensors = plain_tensors(weights::module_state(*start.load(0)));
  const auto head = start.tensors.find(kHeadWeight);
  if (!wants_head || !start.is_run() || head == start.tensors.end()) return out;
  out.head = plain_tensors({{"weight", head->second}, {"bias", start.tensors.at(kHeadBias)}});
  out.class_names = objectives::read_class_names(start.run);
  out.is_multi_label = out.pictures.is_squeezed;  // of a classifier these alone are
  if (out.classes() != head->second.size(0))
    throw UserError(start.where, "checkpoint", "its head tells {} classes, and classes.json has {}",
                    head->second.size(0), out.classes());
  return out;
}

}  // namespace freeatm::exports
