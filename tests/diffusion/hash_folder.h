// SPDX-License-Identifier: Apache-2.0
// The tiny folders that scripts/baselines/tiny_folders.py describes: configs and tokenizers are stored, weights are
// functions of their names.
#pragma once
#include <string>

#include "freeatm/core/files.h"
#include "freeatm/models/autoencoder_kl.h"
#include "freeatm/models/clip_text.h"
#include "freeatm/models/unet_2d_condition.h"
#include "freeatm/weights/load.h"

#include "models/hash_weights.h"
#include "testing.h"

namespace freeatm::testing {

/// tests/diffusion/data/NAME with its weights, as a temporary folder.
class HashFolder {
 public:
  explicit HashFolder(const std::string& name) {
    fs::copy(test_file("diffusion/data/" + name), folder_.path(), fs::copy_options::recursive);
    models::ClipTextModelImpl text(models::ClipTextConfig::read(file("text_encoder/config.json")));
    models::UNet2DConditionModel unet(models::UNetOptions::from_config(file("unet/config.json")));
    models::AutoencoderKL vae(models::AutoencoderOptions::from_config(file("vae/config.json")));
    save(text, 0.3f, "text_encoder/model.safetensors");
    save(unet, 0.12f, "unet/diffusion_pytorch_model.safetensors");
    save(vae, 0.2f, "vae/diffusion_pytorch_model.safetensors");
  }

  std::string path() const { return folder_.path().string(); }
  std::string file(const std::string& name) const { return (folder_ / name).string(); }

 private:
  void save(torch::nn::Module& module, float scale, const std::string& name) const {
    fill_with_hash(module, scale);
    weights::save_safetensors(file(name), weights::module_state(module));
  }
  const TemporaryFolder folder_;
};

}  // namespace freeatm::testing
