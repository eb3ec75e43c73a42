// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <memory>
#include <string>

#include <c10/core/Device.h>
#include <c10/core/ScalarType.h>

#include "freeatm/config/fields.h"
#include "freeatm/models/autoencoder_kl.h"
#include "freeatm/models/clip_text.h"
#include "freeatm/models/unet_2d_condition.h"
#include "freeatm/text/clip_tokenizer.h"

namespace freeatm::diffusion {

struct PipelineOptions {
  std::string path;
  void fields(config::Fields& f);
};

/// A diffusers StableDiffusionPipeline folder in memory, ready for inference.
struct Pipeline {
  std::string folder;  // its scheduler/ is read by whoever starts one: make_scheduler
  text::ClipTokenizer tokenizer;
  std::shared_ptr<models::ClipTextModelImpl> text_encoder;
  std::shared_ptr<models::UNet2DConditionModel> unet;
  std::shared_ptr<models::AutoencoderKL> vae;
  std::string digest;  // 16 hexadecimal digits, of the bytes of all weight files: provenance
  at::Device device;
  at::ScalarType dtype;

  /// Reads model_index.json strictly: another pipeline class, a missing component or file is a UserError that names it.
  static Pipeline load(const std::string& folder, at::Device device, at::ScalarType dtype);

  /// Side of the pictures that the model was trained on.
  int64_t image_size() const { return unet->options().sample_size * vae->factor(); }
};

/// The vae/ of such a folder alone, in evaluation mode. Throws UserError.
std::shared_ptr<models::AutoencoderKL> load_autoencoder(const std::string& folder, at::Device device,
                                                        at::ScalarType dtype);

}  // namespace freeatm::diffusion
