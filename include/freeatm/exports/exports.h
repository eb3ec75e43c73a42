// SPDX-License-Identifier: Apache-2.0
// Trained models as other tools keep them: names, layouts of tensors, configs, and the lines that open the files.
#pragma once
#include <map>
#include <string>
#include <vector>

#include "freeatm/core/files.h"
#include "freeatm/exports/source.h"
#include "freeatm/objectives/vision_language/trained.h"

namespace freeatm::exports {

/// A model in another tool's form, before it is written.
struct Exported {
  std::string what;            // "timm's resnet18"
  weights::TensorMap tensors;  // of the safetensors file, the whole file or a folder's model.safetensors
  std::map<std::string, std::string> metadata;  // of that file
  std::string content;                          // the file's bytes, where it is no safetensors file
  std::map<std::string, std::string> files;     // a folder's other files by name; of a file those beside it, by ending
  fs::path tokenizer;                           // a file or folder to be copied into the folder; empty: none
  bool is_folder = false;
  std::vector<std::string> build, open;  // Python lines: those that make `model`, and those that load the file into it
};

/// Each throws UserError(source.where, "to", ...) with what to do instead where the tool's own model cannot be this
/// one.
Exported to_timm(const Source& source);
Exported to_torchvision(const Source& source);
Exported to_huggingface(const Source& source);
Exported to_detectron2(const Source& source);
Exported to_onnx(const Source& source);

/// Of a run of finetune task=detection, whole.
bool is_detector(const objectives::Pretrained& start);
Exported detector_to_torchvision(const objectives::Pretrained& start, const fs::path& out);

/// Of a vision-language model the text encoder, or both towers of a CLIP.
bool is_clip(const objectives::TrainedPair& pair);
Exported text_to_huggingface(const objectives::TrainedPair& pair, const fs::path& out);
Exported pair_to_huggingface(const objectives::TrainedPair& pair, const fs::path& out);

/// Writes it, whole or not at all: a file, and where it has some the files beside it, or a folder. What lies there
/// already stays if it is the same, and else is refused unless `overwrite`. Returns whether anything was written.
///   key: what names `out` in the config
bool write(const Exported& exported, const fs::path& out, bool overwrite, const std::string& key);

}  // namespace freeatm::exports
