// SPDX-License-Identifier: Apache-2.0
// The small models and the picture of the masked objectives' tests; values: scripts/baselines/masked.py.
#pragma once
#include <memory>
#include <string>
#include <utility>

#include "freeatm/objectives/masked/mae.h"
#include "freeatm/objectives/masked/simmim.h"
#include "freeatm/weights/safetensors.h"

#include "samples.h"
#include "testing.h"

namespace freeatm::objectives {

constexpr models::ViTOptions small_vit() {
  return {.image_size = 32, .patch_size = 8, .dim = 48, .depth = 2, .heads = 3};
}

inline std::shared_ptr<models::ViT> vit() {
  auto model = std::make_shared<models::ViT>(small_vit());
  model->initialize(1);
  return model;
}

inline MaskedOptions of_32_pixels() {
  MaskedOptions options;
  options.size = 32;
  return options;
}

inline std::shared_ptr<Masked> make(const std::string& method, const MaskedOptions& common, MaeOptions mae = {},
                                    std::shared_ptr<models::Backbone> backbone = vit()) {
  if (method.starts_with("simmim"))
    return std::make_shared<SimMim>(std::move(backbone), SimMimOptions{.common = common}, 3);
  mae.decoder_dim = 32, mae.decoder_depth = 2, mae.decoder_heads = 4;
  mae.common = common;
  return std::make_shared<Mae>(std::move(backbone), mae, 3);
}

inline const weights::TensorMap& stored_masked() {
  static const auto loaded =
      weights::load_safetensors(testing::test_file("objectives/data/masked.safetensors")).tensors;
  return loaded;
}

inline data::Sample picture_with_thing() {
  data::Sample sample;
  sample.key = "x";
  sample.image = vision::Image(48, 48);
  for (size_t i = 0; i < sample.image.pixels.size(); ++i) sample.image.pixels[i] = static_cast<uint8_t>(i * 7);
  testing::add_region(sample, "dog", text::Role::kThing, testing::rectangle(48, 48, {8, 8, 24, 24}));
  return sample;
}

}  // namespace freeatm::objectives
