// SPDX-License-Identifier: Apache-2.0
// Writes what `Pipeline::load` and Python's `StableDiffusionPipeline.from_pretrained` read.
#pragma once
#include <cstdint>
#include <string>

#include <c10/core/ScalarType.h>

#include "freeatm/core/files.h"
#include "freeatm/diffusion/ddim.h"
#include "freeatm/models/autoencoder_kl.h"
#include "freeatm/models/clip_text.h"
#include "freeatm/models/unet_2d_condition.h"

namespace freeatm::diffusion {

/// scheduler_config.json of a DDIMScheduler.
std::string ddim_config(const DdimOptions& options);

struct PipelineParts {
  const models::ClipTextModelImpl& text_encoder;
  const models::UNet2DConditionModel& unet;
  const models::AutoencoderKL& vae;
  std::string scheduler_config;  // the file's text
  fs::path tokenizer;            // a folder: its files are copied
};

/// A StableDiffusionPipeline folder, whole or not at all; one that is there is replaced.
///   dtype: of the weights in it, kFloat or kHalf
void save_pipeline(const fs::path& folder, const PipelineParts& parts, at::ScalarType dtype);

/// The vae/ of such a folder alone, in fp32.
///   scaling_factor: what the config says of it; sample_size: side of the pictures
void save_autoencoder(const fs::path& folder, const models::AutoencoderKL& vae, double scaling_factor,
                      int64_t sample_size);

}  // namespace freeatm::diffusion
