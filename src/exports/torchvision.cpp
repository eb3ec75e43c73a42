// SPDX-License-Identifier: Apache-2.0
// torchvision's ResNet, whose names are ours, and its VisionTransformer, whose names are its own.
#include <regex>

#include "freeatm/weights/name_map.h"

#include "resnet_shape.h"
#include "tool_files.h"

namespace freeatm::exports {
namespace {

// On disk the MLP's layers are 0 and 3, as its version 1 called them; torchvision renames them while it loads.
const weights::NameMap kTorchvisionViT{{{"^cls_token$", "class_token"},
                                        {"^pos_embed$", "encoder.pos_embedding"},
                                        {"^patch_embed\\.proj\\.", "conv_proj."},
                                        {"^norm\\.", "encoder.ln."},
                                        {"^blocks\\.(\\d+)\\.", "encoder.layers.encoder_layer_$1."},
                                        {"\\.norm([12])\\.", ".ln_$1."},
                                        {"\\.attn\\.qkv\\.", ".self_attention.in_proj_"},
                                        {"\\.attn\\.proj\\.", ".self_attention.out_proj."},
                                        {"\\.mlp\\.fc1\\.", ".mlp.0."},
                                        {"\\.mlp\\.fc2\\.", ".mlp.3."}},
                                       {}};

void put_torchvision_head(const Source& source, const std::string& name, Exported& out) {
  add_head(source, name, out.tensors);
  const std::string head = name.substr(0, name.find('.'));
  if (source.head.empty()) out.build.push_back("model." + head + " = torch.nn.Identity()");
}

Exported torchvision_resnet(const Source& source, const models::ResNetOptions& options) {
  constexpr const char* kModule = "torchvision.models.resnet";
  if (options.depths.size() != 4)
    refuse(source, "torchvision's ResNet has four stages, this one {}: to=onnx takes it", options.depths.size());
  if (options.width != 64)
    refuse(source, "torchvision's ResNet begins with 64 channels, this one with {}: to=timm takes it", options.width);
  if (has_dilation(options) && !is_bottleneck(options))
    refuse(source, "torchvision's basic blocks do not dilate (output_stride={}): to=timm takes it",
           options.output_stride);
  Arguments arguments = Arguments::object();
  if (!source.head.empty()) arguments["num_classes"] = source.classes();
  if (has_dilation(options)) {
    Arguments dilates = Arguments::array();
    const std::vector<models::ResNetStage> stages = stages_of(options);
    for (size_t i = 1; i < stages.size(); ++i) dilates.push_back(stages[i].dilation > stages[i].first_dilation);
    arguments["replace_stride_with_dilation"] = dilates;
  }
  Exported out{.tensors = source.tensors};
  const int64_t depth = standard_depth(options);
  const std::string block = is_bottleneck(options) ? "Bottleneck" : "BasicBlock";
  const std::string call = depth != 0 ? python_call(format("torchvision.models.resnet{}", depth), arguments)
                                      : python_call(format("{}.ResNet", kModule), arguments,
                                                    format("{}.{}, {}", kModule, block, options.depths));
  out.what = depth != 0 ? format("torchvision's resnet{}", depth) : "torchvision's ResNet";
  out.build = {"import torch, torchvision", "model = " + call};
  if (options.stem != "7x7") {
    out.build.push_back(
        format("model.conv1 = torch.nn.Conv2d(3, 64, 3, stride={}, padding=1, bias=False)", stem_stride(options)));
    out.build.emplace_back("model.maxpool = torch.nn.Identity()");
    out.what += " with another stem";
  }
  put_torchvision_head(source, "fc", out);
  describe(out, source, "torchvision", depth != 0 ? format("resnet{}", depth) : "ResNet", arguments);
  return out;
}

Exported torchvision_vit(const Source& source, const models::ViTOptions& options) {
  if (options.global_pool != "token")
    refuse(source,
           "torchvision's VisionTransformer pools by its class token, this one by the mean of its patches: "
           "to=timm takes it");
  Arguments arguments{{"image_size", options.image_size},
                      {"patch_size", options.patch_size},
                      {"num_layers", options.depth},
                      {"num_heads", options.heads},
                      {"hidden_dim", options.dim},
                      {"mlp_dim", static_cast<int64_t>(static_cast<double>(options.dim) * options.mlp_ratio)}};
  if (!source.head.empty()) arguments["num_classes"] = source.classes();
  Exported out{.what = "torchvision's VisionTransformer",
               .tensors = kTorchvisionViT.apply(source.tensors, source.where)};
  out.build = {"import torch, torchvision",
               "model = " + python_call("torchvision.models.VisionTransformer", arguments)};
  put_torchvision_head(source, "heads.head", out);
  describe(out, source, "torchvision", "VisionTransformer", arguments);
  return out;
}

}  // namespace

Exported to_torchvision(const Source& source) {
  if (const auto* resnet = std::get_if<models::ResNetOptions>(&source.model))
    return torchvision_resnet(source, *resnet);
  if (const auto* vit = std::get_if<models::ViTOptions>(&source.model)) return torchvision_vit(source, *vit);
  refuse(source, "torchvision has no CLIP: to=huggingface takes its vision tower");
}

}  // namespace freeatm::exports
