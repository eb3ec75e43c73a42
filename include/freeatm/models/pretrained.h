// SPDX-License-Identifier: Apache-2.0
// Weights of timm, torchvision, transformers, detectron2, MoCo v3, MAE, CLIP or our own runs in a backbone, whatever
// stands before their names.
#pragma once
#include <string>
#include <vector>

#include "freeatm/models/backbone.h"
#include "freeatm/weights/safetensors.h"

namespace freeatm::models {

struct BackboneTensors {
  weights::TensorMap tensors;         // under the backbone's own names
  std::vector<std::string> left_out;  // of the file's names: heads, decoders, momentum encoders
};

/// A name without what wrappers of modules put into it, at any place: "_orig_mod." (torch.compile), FSDP's, and those
/// of checkpointed activations.
std::string unwrapped(std::string name);

/// A file's encoder. The prefixes "module.", "model.", "base_encoder." (MoCo v3), "encoder_q." (MoCo v2), "teacher." or
/// "student." (DINO), "backbone.", "vision_model.", "vit.", "resnet.", "timm_model." (transformers), "bottom_up."
/// (detectron2), "net." and "online_encoder." are taken away, alone or one behind the other, and what wrappers put into
/// names ("_orig_mod.") anywhere; where there are such names, all others are left out. So are heads and what belongs to
/// a masked autoencoder's decoder. Then transformers' and detectron2's own names, and those of torchvision's ViT,
/// become ours.
BackboneTensors backbone_tensors(const weights::TensorMap& file);

/// Changes a transformer's tensors where they may differ from the model's: positions of another (square) grid are
/// resized. The norm of the other kind of pooling is left out, and the model's own stays as it is, as in MAE's
/// finetuning; so is a class token that the model lacks, with its position. Relative positions begin as the model's own
/// where the file has none. The names alone tell what is what; other models' tensors stay as they are.
///   model: the model's own tensors
void adapt(const weights::TensorMap& model, BackboneTensors& file);

/// What keeps a file's tensors from being the model's, one text a tensor: "norm.weight: [48] in the file, [64] in the
/// model". Norms need no count of their batches.
std::vector<std::string> mismatches(const weights::TensorMap& model, const weights::TensorMap& file);
/// The first of such texts, or of names, and how many more there are.
std::string listed(const std::vector<std::string>& texts, const std::string& separator);

/// Positions of a square grid as the model's own want them, resized as timm does, which is said; others as they are.
///   positions, own: [1, prefix + side^2, dim]; name: of the tensor, for the log
at::Tensor fitted_positions(const at::Tensor& positions, const at::Tensor& own, int64_t prefix,
                            const std::string& name);

/// Copies a file's encoder into the backbone and returns the file's names that were left out. Throws UserError(where,
/// key, ...) with the first tensors that do not fit, and their shapes, or with the first that holds NaN or Inf.
///   key: what names the file in the config, "checkpoint"
std::vector<std::string> load_pretrained(Backbone& backbone, const weights::TensorMap& file, const std::string& where,
                                         const std::string& key);

}  // namespace freeatm::models
