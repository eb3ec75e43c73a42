// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <future>
#include <memory>
#include <string>
#include <vector>

#include <c10/core/Device.h>
#include <c10/core/ScalarType.h>

#include "freeatm/config/fields.h"
#include "freeatm/core/mapped_file.h"
#include "freeatm/models/autoencoder_kl.h"
#include "freeatm/models/clip_text.h"
#include "freeatm/models/placement.h"
#include "freeatm/models/unet_2d_condition.h"
#include "freeatm/text/clip_tokenizer.h"

namespace freeatm::diffusion {

struct PipelineOptions {
  std::string path;
  void fields(config::Fields& f);
};

using models::Use;

/// A diffusers StableDiffusionPipeline folder in memory.
struct Pipeline {
  std::string folder;  // its scheduler/ is read by whoever starts one: make_scheduler
  text::ClipTokenizer tokenizer;
  std::shared_ptr<models::ClipTextModelImpl> text_encoder;
  std::shared_ptr<models::UNet2DConditionModel> unet;
  std::shared_ptr<models::AutoencoderKL> vae;
  at::Device device;
  at::ScalarType dtype;  // of the UNet and the autoencoder; a text encoder of fp32 stays that on a CPU
  std::vector<std::string> weight_files;
  std::vector<FileState> weight_states;      // of the files, when they were opened
  std::shared_future<uint64_t> weight_hash;  // made beside whatever else is done

  /// Reads model_index.json strictly: another pipeline class, a missing component or file is a UserError that names it.
  static Pipeline load(const std::string& folder, at::Device device, at::ScalarType dtype, Use use = Use::kDraw);

  /// The first tensor of a component's files ("unet") that is not finite in the pipeline's type, as weights say it; "".
  std::string not_finite_in(const std::string& component) const;
  /// 16 hexadecimal digits, of the bytes of all weight files: provenance.
  std::string digest() const;
  /// Throws UserError(file, "", ...) where a weight file was written into since it was opened.
  void require_unwritten() const;
  /// Side of the pictures that the model was trained on.
  int64_t image_size() const { return unet->options().sample_size * vae->factor(); }
};

/// The vae/ of such a folder alone, in evaluation mode. Throws UserError.
std::shared_ptr<models::AutoencoderKL> load_autoencoder(const std::string& folder, at::Device device,
                                                        at::ScalarType dtype, Use use = Use::kDraw);

}  // namespace freeatm::diffusion
