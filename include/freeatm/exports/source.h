// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cstdint>
#include <string>
#include <variant>
#include <vector>

#include "freeatm/models/clip_vision.h"
#include "freeatm/models/resnet.h"
#include "freeatm/models/vit.h"
#include "freeatm/objectives/trained_models.h"
#include "freeatm/weights/safetensors.h"

namespace freeatm::exports {

/// Numbers that every tool's preprocessing must have: pictures are RGB in [0, 1] less the mean, by the deviation.
struct PictureFacts {
  std::vector<double> mean{0.485, 0.456, 0.406}, deviation{0.229, 0.224, 0.225};
  int64_t size = 224;        // side of those that the model was trained on
  bool is_squeezed = false;  // into a square; else the square in their middle is taken
};

/// A backbone, or a classifier, to be written as another tool's.
struct Source {
  std::variant<models::ResNetOptions, models::ViTOptions, models::ClipVisionOptions> model;
  weights::TensorMap tensors;            // the backbone's under its own names, in fp32, contiguous
  weights::TensorMap head;               // "weight" [classes, channels], "bias" [classes]; none: a backbone
  std::vector<std::string> class_names;  // of the head
  bool is_multi_label = false;
  PictureFacts pictures;
  std::string where;  // the checkpoint
  fs::path out;       // where it will lie: what opens it names that

  int64_t classes() const { return static_cast<int64_t>(class_names.size()); }
};

/// Contiguous on the CPU, in fp32 where they are no whole numbers.
weights::TensorMap plain_tensors(const weights::TensorMap& tensors);

/// The backbone of what `open_pretrained` opened, and the head of a `finetune task=classification` where that is
/// wanted. Throws UserError(where, "checkpoint", ...) as `Pretrained::load`.
Source source_of(const objectives::Pretrained& start, bool wants_head);

/// Of a `clip_vit`.
models::ClipVisionOptions clip_vision_options(const models::ModelOptions& model);

}  // namespace freeatm::exports
