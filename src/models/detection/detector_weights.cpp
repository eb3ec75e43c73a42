// SPDX-License-Identifier: Apache-2.0
#include "freeatm/models/detection/detector_weights.h"

#include <algorithm>
#include <array>
#include <string>
#include <utility>

#include "freeatm/core/format.h"

namespace freeatm::models {
namespace {

constexpr const char* kClassifier = "roi_heads.box_predictor.cls_score.weight";
constexpr const char* kBody = "backbone.body.";

bool replace_start(std::string& name, const std::string& from, const std::string& to) {
  if (!name.starts_with(from)) return false;
  name.replace(0, from.size(), to);
  return true;
}

/// A torchvision detector's name as ours. Before torchvision 0.14 blocks of one convolution had no number.
std::string own_name(std::string name) {
  if (replace_start(name, kBody, "backbone.")) return name;
  if (replace_start(name, "roi_heads.mask_head.mask_fcn", "roi_heads.mask_head.")) {
    const size_t dot = name.find('.', std::string("roi_heads.mask_head.").size());
    const size_t number = std::string("roi_heads.mask_head.").size();
    const int64_t place = std::stoll(name.substr(number, dot - number)) - 1;
    return format("roi_heads.mask_head.{}.0{}", place, name.substr(dot));
  }
  const std::string old_rpn = "rpn.head.conv.";
  if (name == old_rpn + "weight" || name == old_rpn + "bias") name.insert(old_rpn.size(), "0.0.");
  if (replace_start(name, "backbone.fpn.", "fpn.")) {
    const bool is_old = std::ranges::count(name, '.') == 3;  // fpn.inner_blocks.0.weight
    if (is_old) name.insert(name.rfind('.'), ".0");
  }
  return name;
}

bool any_has(const weights::TensorMap& tensors, const std::string& part) {
  return std::ranges::any_of(tensors, [&](const auto& item) { return item.first.find(part) != std::string::npos; });
}

int64_t numbered(const weights::TensorMap& tensors, const std::string& before, const std::string& behind) {
  int64_t count = 0;
  while (tensors.contains(format("{}{}{}", before, count, behind))) ++count;
  return count;
}

}  // namespace

bool is_detector(const weights::TensorMap& file) { return file.contains(kClassifier); }

DetectorFile detector_file(const weights::TensorMap& file) {
  DetectorFile out{.classes = file.at(kClassifier).size(0) - 1, .is_torchvisions = any_has(file, kBody)};
  for (const auto& [name, tensor] : file) out.tensors.emplace(out.is_torchvisions ? own_name(name) : name, tensor);
  return out;
}

void fit_to_file(RcnnOptions& options, const DetectorFile& file) {
  const weights::TensorMap& tensors = file.tensors;
  options.heads.masks = any_has(tensors, "roi_heads.mask_predictor.");
  options.heads.box_convolutions = numbered(tensors, "roi_heads.box_head.", ".0.weight");
  options.rpn.convolutions = numbered(tensors, "rpn.head.conv.", ".0.weight");
  if (const auto found = tensors.find("fpn.inner_blocks.0.0.weight"); found != tensors.end()) {
    options.pyramid.channels = found->second.size(0);
    options.pyramid.norm = tensors.contains("fpn.inner_blocks.0.1.running_var") ? "batch"
                           : tensors.contains("fpn.inner_blocks.0.1.weight")    ? "layer"
                                                                                : "none";
  }
  if (file.is_torchvisions && !any_has(tensors, "num_batches_tracked")) options.norm_eps = 0;
}

}  // namespace freeatm::models
