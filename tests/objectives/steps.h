// SPDX-License-Identifier: Apache-2.0
// Every objective once, small, with a batch: what a step is tried with on another device than the CPU.
#pragma once
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "freeatm/objectives/contrastive/byol.h"
#include "freeatm/objectives/contrastive/moco_v3.h"
#include "freeatm/objectives/contrastive/simclr.h"
#include "freeatm/objectives/denoising/denoising.h"
#include "freeatm/objectives/denoising/vae.h"
#include "freeatm/objectives/denoising/weights.h"
#include "freeatm/objectives/segmentation/segmentation.h"

#include "captioned.h"
#include "detectors.h"
#include "masked_models.h"
#include "nano.h"

namespace freeatm::objectives {

struct StepCase {
  std::string name;
  /// Weights and all else on the device.
  std::function<std::shared_ptr<training::Objective>(at::Device)> make;
  std::function<data::Sample(int64_t index)> sample;
  bool waits = false;  // for the device, within a step: sizes of tensors are drawn from what it computed
};

inline data::Sample captioned_sample(int64_t index) {
  data::Sample sample = index % 2 == 0 ? dog_and_cat() : dog_and_cat("a cat and a dog on the grass");
  for (uint8_t& value : sample.image.pixels) value = static_cast<uint8_t>(value * (index + 3));
  return sample;
}

/// Squares of one class each, some of none.
inline data::Sample labelled_sample(int64_t index) {
  data::Sample sample = captioned_sample(index);
  sample.labels = {index % 7};
  sample.label_map = vision::LabelMap(48, 48);
  for (int y = 0; y < 48; ++y)
    for (int x = 0; x < 48; ++x) sample.label_map.row(y)[x] = static_cast<uint8_t>((3 * (y / 12) + x / 12) % 5);
  std::fill_n(sample.label_map.row(0), 48, vision::LabelMap::kIgnored);
  return sample;
}

inline data::Sample object_sample(int64_t) { return two_objects(); }

template <class Make>
StepCase moved(std::string name, Make make, data::Sample (*sample)(int64_t) = captioned_sample) {
  return {std::move(name),
          [make](at::Device device) {
            std::shared_ptr<training::Objective> objective = make();
            objective->to(device);
            return objective;
          },
          sample};
}

inline ContrastiveOptions small_contrastive(const std::string& regions) {
  ContrastiveOptions options;
  options.hidden = 24, options.dimensions = 16;
  options.regions = regions;
  options.region.min_cells = 0.1;
  options.augment.size = 32;
  return options;
}

inline std::shared_ptr<training::Objective> small_denoising(at::Device device) {
  models::UNetOptions unet;
  unet.sample_size = 8;
  unet.block_out_channels = {16, 24};
  unet.layers_per_block = {1, 1};
  unet.heads = {2, 3};
  unet.cross_attention_dim = {16, 16};
  unet.down_cross = {true, false}, unet.up_cross = {false, true};
  unet.norm_num_groups = 4;
  auto denoiser = std::make_shared<models::UNet2DConditionModel>(unet);
  auto text = std::make_shared<models::ClipTextModelImpl>(models::ClipTextConfig{.vocab_size = 40,
                                                                                 .hidden_size = 16,
                                                                                 .intermediate_size = 32,
                                                                                 .num_hidden_layers = 2,
                                                                                 .num_attention_heads = 2,
                                                                                 .max_position_embeddings = 6});
  initialize(*denoiser, 1);
  initialize(*text, 2);
  denoiser->to(device);
  text->to(device);
  const at::Tensor ids = at::arange(24).view({4, 6});
  const DenoisingData data{{at::linspace(-1, 1, 4 * 4 * 8 * 8).view({4, 4, 8, 8}), at::full({4, 4, 8, 8}, 0.1)},
                           ids,
                           at::zeros({6}, at::kLong)};
  return std::make_shared<Denoising>(denoiser, text, data, diffusion::NoiseSchedule(), DenoisingOptions());
}

inline std::vector<StepCase> step_cases() {
  std::vector<StepCase> cases;
  for (const char* regions : {"none", "pooled"}) {
    const std::string suffix = regions == std::string("none") ? "" : "_regions";
    const ContrastiveOptions common = small_contrastive(regions);
    cases.push_back(moved("moco_v3" + suffix, [common] {
      return std::make_shared<MocoV3>(testing::nano_backbone(1), testing::nano_backbone(2),
                                      MocoV3Options{.common = common}, 3);
    }));
    cases.push_back(moved("byol" + suffix, [common] {
      return std::make_shared<Byol>(testing::nano_backbone(1), testing::nano_backbone(2), ByolOptions{.common = common},
                                    3);
    }));
    cases.push_back(moved("simclr" + suffix, [common] {
      return std::make_shared<SimClr>(testing::nano_backbone(1), SimClrOptions{.common = common}, 3);
    }));
  }
  cases.push_back(moved("moco_v3_on_device", [] {
    ContrastiveOptions common = small_contrastive("pooled");
    common.augment_on = "device";
    return std::make_shared<MocoV3>(testing::nano_backbone(1), testing::nano_backbone(2),
                                    MocoV3Options{.common = common}, 3);
  }));
  for (const char* method : {"mae", "simmim"})
    cases.push_back(moved(method, [method] { return make(method, of_32_pixels()); }));
  for (const char* regions : {"none", "contrast", "prompt"}) {
    cases.push_back(moved(std::string("vision_language_") + regions, [regions] {
      VisionLanguageOptions options = small_options();
      options.regions = regions;
      options.momentum = 0.9, options.queue = 8;
      return small_objective(options);
    }));
  }
  cases.push_back(moved(
      "classification",
      [] {
        ClassificationOptions options;
        options.loss = "cross_entropy";
        options.min_scale = 0.5;
        options.augment.size = 32;
        return testing::nano_classifier(options);
      },
      labelled_sample));
  cases.push_back(moved(
      "segmentation",
      [] {
        SegmentationOptions options;
        options.views.crop_size = 48;
        options.model = {.channels = 8, .dropout = 0, .auxiliary_channels = 8};
        return std::make_shared<Segmentation>(small_backbone(), 5, options, 0);
      },
      labelled_sample));
  cases.push_back(moved(
      "detection", [] { return detector(small_detection()); }, object_sample));
  cases.back().waits = true;
  cases.push_back(moved("vae", [] {
    models::AutoencoderOptions options;
    options.block_out_channels = {8, 16};
    options.norm_num_groups = 4;
    const auto vae = std::make_shared<models::AutoencoderKL>(options);
    initialize(*vae, 1);
    return std::make_shared<Vae>(vae, VaeOptions{.crop = 16});
  }));
  cases.push_back({"denoising", small_denoising, captioned_sample});
  return cases;
}

/// As the loader makes it.
inline data::Batch batch_of(const training::Objective& objective, const StepCase& one, int64_t count = 4) {
  std::vector<data::View> views;
  std::vector<std::string> keys;
  for (int64_t i = 0; i < count; ++i) {
    data::Sample sample = one.sample(i);
    sample.key = std::to_string(i);
    RandomStream random(5, "views", 0, static_cast<uint64_t>(i));
    views.push_back(objective.prepare(std::move(sample), random, 0.3));
    views.back()["index"] = at::scalar_tensor(i, at::kLong);
    keys.push_back(std::to_string(i));
  }
  return objective.collate(std::move(views), keys);
}

}  // namespace freeatm::objectives
