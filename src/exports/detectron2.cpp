// SPDX-License-Identifier: Apache-2.0
// detectron2's ResNet: a file that its DetectionCheckpointer reads, and the lines of its config that differ from its
// defaults, which are for Caffe2's weights (BGR, deviation 1, the stride in the 1x1).
#include <cmath>

#include "numpy_pickle.h"
#include "resnet_shape.h"
#include "tool_files.h"

namespace freeatm::exports {
namespace {

std::string detectron_name(const std::string& ours) {
  const ResNetName name = parse_resnet_name(ours);
  const std::string place = name.stage == 0 ? "stem" : format("res{}.{}", name.stage + 1, name.block);
  const std::string layer = name.number == 0 ? "shortcut" : format("conv{}", name.number);
  return format("{}.{}{}.{}", place, layer, name.is_norm ? ".norm" : "", name.leaf);
}

std::string yaml_list(const std::vector<double>& numbers) {
  std::string text;
  for (const double number : numbers) text += (text.empty() ? "" : ", ") + format("{}", number);
  return "[" + text + "]";
}

std::string detectron_config(const Source& source, const models::ResNetOptions& options) {
  std::vector<double> mean, deviation;  // of pixels from 0 to 255
  for (const double value : source.pictures.mean) mean.push_back(std::round(value * 255e6) / 1e6);
  for (const double value : source.pictures.deviation) deviation.push_back(std::round(value * 255e6) / 1e6);
  return format(
      R"(# Lines that a config of detectron2's needs for these weights: cfg.merge_from_file(this) behind the detector's own.
MODEL:
  WEIGHTS: {}
  PIXEL_MEAN: {}
  PIXEL_STD: {}
  RESNETS:
    DEPTH: {}
    STRIDE_IN_1X1: False
    STEM_OUT_CHANNELS: {}
    RES2_OUT_CHANNELS: {}
    WIDTH_PER_GROUP: {}
INPUT:
  FORMAT: "RGB"
)",
      python_text(source.out), yaml_list(mean), yaml_list(deviation), standard_depth(options), options.width,
      stages_of(options).front().channels, options.width);
}

}  // namespace

Exported to_detectron2(const Source& source) {
  const auto* options = std::get_if<models::ResNetOptions>(&source.model);
  if (options == nullptr)
    refuse(source, "detectron2's configs name a ResNet, this is a transformer: to=timm and to=torchvision take it");
  if (options->stem != "7x7" || has_dilation(*options))
    refuse(source,
           "detectron2's ResNet has a 7x7 stem with a max-pool and strides in every stage (stem={}, "
           "output_stride={}): to=timm takes it",
           options->stem, options->output_stride);
  if (standard_depth(*options) == 0 || (!is_bottleneck(*options) && options->width != 64))
    refuse(source,
           "detectron2 knows ResNets of 50, 101 and 152 layers, and of 18 and 34 with 64 channels; this one has "
           "depths {} of {} blocks and {} channels: to=timm takes it",
           options->depths, options->block, options->width);
  weights::TensorMap tensors;
  for (const auto& [name, tensor] : source.tensors) {
    if (!name.ends_with("num_batches_tracked")) tensors[detectron_name(name)] = tensor;
  }
  Exported out{.what = format("detectron2's ResNet-{}", standard_depth(*options)), .content = numpy_pickle(tensors)};
  out.files[".yaml"] = detectron_config(source, *options);
  out.build = {"from detectron2.config import get_cfg", "cfg = get_cfg()"};
  out.open = {format("cfg.merge_from_file({})  # behind a detector's own config",
                     python_text(fs::path(source.out).replace_extension(".yaml")))};
  return out;
}

}  // namespace freeatm::exports
