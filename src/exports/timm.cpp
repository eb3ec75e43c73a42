// SPDX-License-Identifier: Apache-2.0
// timm's ResNet and VisionTransformer: our names are theirs, but for the head's.
#include "timm.h"

#include <algorithm>

#include "freeatm/exports/exports.h"
#include "freeatm/models/timm_vits.h"

#include "resnet_shape.h"
#include "tool_files.h"

namespace freeatm::exports {
namespace {

constexpr int64_t kUsualWidth = 64;

/// timm's stem is a 7x7 of 64 channels and a max-pool, and its first block fits that: what differs is exchanged, as one
/// does for small pictures.
std::vector<std::string> exchanged_stem(const models::ResNetOptions& options) {
  std::vector<std::string> lines;
  const int64_t width = options.width;
  const bool is_small = options.stem != "7x7";
  if (is_small) {
    lines.push_back(format("model.conv1 = torch.nn.Conv2d(3, {}, 3, stride={}, padding=1, bias=False)", width,
                           stem_stride(options)));
    lines.emplace_back("model.maxpool = torch.nn.Identity()");
  } else if (width != kUsualWidth) {
    lines.push_back(format("model.conv1 = torch.nn.Conv2d(3, {}, 7, stride=2, padding=3, bias=False)", width));
  }
  if (width == kUsualWidth) return lines;
  lines.push_back(format("model.bn1 = torch.nn.BatchNorm2d({})", width));
  const std::string shortcut =
      is_bottleneck(options) ? format(", downsample=timm.models.resnet.downsample_conv({}, {}, 1)", width, 4 * width)
                             : "";
  lines.push_back(format("model.layer1[0] = type(model.layer1[0])({}, {}{})", width, width, shortcut));
  return lines;
}

Exported timm_resnet(const Source& source, const models::ResNetOptions& options) {
  if (options.depths.size() != 4)
    refuse(source, "timm's ResNet has four stages, this one {}: to=onnx takes it", options.depths.size());
  const int64_t stride = options.output_stride * 4 / stem_stride(options);  // timm counts every stem as 4
  if (stride < 8)
    refuse(source, "timm's ResNet cannot dilate from the first stages on (output_stride={}): to=onnx takes it",
           options.output_stride);
  const int64_t depth = standard_depth(options);
  const std::string name = format("resnet{}", depth != 0 ? depth : is_bottleneck(options) ? 50 : 18);
  Arguments arguments{{"num_classes", source.classes()}};
  if (depth == 0) arguments["layers"] = options.depths;
  if (options.width != kUsualWidth) {
    for (int64_t i = 0; i < 4; ++i) arguments["channels"].push_back(options.width << i);
  }
  if (stride < 32) arguments["output_stride"] = stride;
  Exported out{.what = "timm's " + name, .tensors = source.tensors};
  add_head(source, "fc", out.tensors);
  out.build = {"import timm, torch", "model = " + timm_call(name, arguments)};
  const std::vector<std::string> stem = exchanged_stem(options);
  out.build.insert(out.build.end(), stem.begin(), stem.end());
  if (!stem.empty()) out.what += " with another stem";
  describe(out, source, "timm", name, arguments);
  return out;
}

Exported timm_vit(const Source& source, const models::ViTOptions& options) {
  const TimmModel model = timm_vit_model(options);
  Arguments arguments{{"num_classes", source.classes()}};
  arguments.update(model.arguments);
  Exported out{.what = "timm's " + model.name, .tensors = source.tensors};
  add_head(source, "head", out.tensors);
  out.build = {"import timm", "model = " + timm_call(model.name, arguments)};
  describe(out, source, "timm", model.name, arguments);
  return out;
}

}  // namespace

std::string timm_call(const std::string& name, const Arguments& arguments) {
  return python_call("timm.create_model", arguments, "\"" + name + "\"");
}

TimmModel timm_vit_model(const models::ViTOptions& options) {
  const auto* known = std::ranges::find_if(models::kTimmViTs, [&](const models::TimmViT& one) {
    return one.dim == options.dim && one.depth == options.depth && one.heads == options.heads;
  });
  const models::TimmViT& base = known == std::end(models::kTimmViTs) ? models::kTimmViTs[0] : *known;
  TimmModel model{base.name, Arguments::object()};
  Arguments& arguments = model.arguments;
  if (options.image_size != 224) arguments["img_size"] = options.image_size;
  if (options.patch_size != 16) arguments["patch_size"] = options.patch_size;
  if (options.dim != base.dim) arguments["embed_dim"] = options.dim;
  if (options.depth != base.depth) arguments["depth"] = options.depth;
  if (options.heads != base.heads) arguments["num_heads"] = options.heads;
  if (options.mlp_ratio != 4) arguments["mlp_ratio"] = options.mlp_ratio;
  if (!options.class_token) arguments["class_token"] = false;
  if (options.global_pool != "token") arguments["global_pool"] = options.global_pool;
  arguments["dynamic_img_size"] = true;  // pictures of another size get their positions resized, as here
  return model;
}

Exported to_timm(const Source& source) {
  if (const auto* resnet = std::get_if<models::ResNetOptions>(&source.model)) return timm_resnet(source, *resnet);
  if (const auto* vit = std::get_if<models::ViTOptions>(&source.model)) return timm_vit(source, *vit);
  refuse(source,
         "a CLIP's vision tower takes CLIP's own mean and deviation and has its own names: to=huggingface takes it");
}

}  // namespace freeatm::exports
