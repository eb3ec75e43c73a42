// SPDX-License-Identifier: Apache-2.0
#include "transformers.h"

namespace freeatm::exports {
namespace {

using Json = nlohmann::ordered_json;

constexpr int kBilinear = 2;  // PIL's number

}  // namespace

Exported transformers_folder(const std::string& name, Json config) {
  Exported out{.what = "transformers' " + name, .metadata = {{"format", "pt"}}, .is_folder = true};
  config["dtype"] = "float32";
  out.files["config.json"] = config.dump(2) + "\n";
  return out;
}

// The square in the middle of each picture, as scores of classes with one label are made with; or the whole picture
// squeezed into a square. BitImageProcessor and ViTImageProcessor do no more than that.
void add_preprocessor(Exported& exported, const PictureFacts& pictures) {
  const Json square{{"height", pictures.size}, {"width", pictures.size}};
  Json config{{"image_processor_type", pictures.is_squeezed ? "ViTImageProcessor" : "BitImageProcessor"},
              {"do_convert_rgb", true},
              {"do_resize", true},
              {"size", pictures.is_squeezed ? square : Json{{"shortest_edge", pictures.size}}},
              {"resample", kBilinear}};
  if (!pictures.is_squeezed) {
    config["do_center_crop"] = true;
    config["crop_size"] = square;
  }
  config["do_rescale"] = true;
  config["rescale_factor"] = 1.0 / 255;
  config["do_normalize"] = true;
  config["image_mean"] = pictures.mean;
  config["image_std"] = pictures.deviation;
  exported.files["preprocessor_config.json"] = config.dump(2) + "\n";
}

weights::TensorMap behind_prefix(const std::string& prefix, const weights::TensorMap& tensors) {
  weights::TensorMap out;
  for (const auto& [name, tensor] : tensors) out[prefix + name] = tensor;
  return out;
}

}  // namespace freeatm::exports
