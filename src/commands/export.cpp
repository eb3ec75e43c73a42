// SPDX-License-Identifier: Apache-2.0
// freeatm export: a trained model under the names and in the files of other tools.
#include <algorithm>
#include <iostream>
#include <optional>
#include <string>

#include "freeatm/commands/commands.h"
#include "freeatm/core/error.h"
#include "freeatm/core/log.h"
#include "freeatm/core/names.h"
#include "freeatm/exports/exports.h"
#include "freeatm/objectives/segmentation/trained.h"

namespace freeatm::commands {
namespace {

struct Target {
  const char* name;
  exports::Exported (*convert)(const exports::Source&);
};

constexpr Target kTargets[] = {
    {"timm", exports::to_timm},
    {"torchvision", exports::to_torchvision},
    {"huggingface", exports::to_huggingface},
    {"detectron2", exports::to_detectron2},
    {"onnx", exports::to_onnx},
};

struct ExportOptions {
  std::string checkpoint, to, out, part = "auto";
  std::optional<int64_t> image_size;
  bool overwrite = false;
  objectives::WeightsOptions weights;
  models::ModelOptions model;

  void fields(config::Fields& f) {
    f("checkpoint", checkpoint, "a run folder, or a file or folder of weights, which `model` describes");
    f("to", to,
      "timm, torchvision: safetensors for load_state_dict; huggingface: a folder for from_pretrained; detectron2: "
      "a .pkl for MODEL.WEIGHTS, with a .yaml beside it; onnx: a graph for ONNX Runtime",
      config::any_of(names_in(kTargets)));
    f("out", out, "the file, or the folder");
    f("part", part,
      "auto: with a classifier's head; a CLIP's two towers (huggingface), a whole detector (torchvision); backbone: "
      "that alone; text, pair: a vision-language model's text encoder, both towers of a CLIP (huggingface)",
      config::any_of({"auto", "backbone", "text", "pair"}));
    f("image_size", image_size, "side of the pictures that the file is for, pixels; null: of those it was trained on",
      config::between(8, 4096));
    f("overwrite", overwrite, "replace what lies there already");
    f.group("weights", weights);
    f.group("model", model);  // a run has its own
  }
};

void print_how_to_open(const exports::Exported& exported) {
  std::cout << "# in Python:\n";
  for (const auto& lines : {exported.build, exported.open}) {
    for (const std::string& line : lines) std::cout << line << "\n";
  }
  std::cout << std::flush;
}

/// The texts' side, or both, which only transformers has; what it is not asked for gives none.
std::optional<exports::Exported> exported_pair(const ExportOptions& options, const objectives::Pretrained& start) {
  const bool is_wanted = options.part == "text" || options.part == "pair";
  if (is_wanted && options.to != "huggingface")
    throw UserError("", "to", "{} has no text encoders: part={} is for huggingface", options.to, options.part);
  const bool may_be_clip = options.part == "auto" && options.to == "huggingface" && start.model.name() == "clip_vit" &&
                           start.tensors.contains("text_projection.weight");
  if (!is_wanted && !may_be_clip) return std::nullopt;
  const objectives::TrainedPair pair = objectives::open_vision_language(options.checkpoint);
  if (options.part == "text") return exports::text_to_huggingface(pair, options.out);
  if (may_be_clip && !exports::is_clip(pair)) return std::nullopt;
  return exports::pair_to_huggingface(pair, options.out);
}

/// More than a backbone and a classifier's head.
std::optional<exports::Exported> exported_whole(const ExportOptions& options, const objectives::Pretrained& start) {
  if (options.part == "auto" && options.to == "torchvision" && exports::is_detector(start))
    return exports::detector_to_torchvision(start, options.out);
  return exported_pair(options, start);
}

exports::Exported exported(const ExportOptions& options) {
  objectives::Pretrained start = objectives::open_pretrained(options.checkpoint, options.model, options.weights);
  if (auto whole = exported_whole(options, start)) {
    if (options.image_size) throw UserError("", "image_size", "is for backbones and classifiers");
    return *std::move(whole);
  }
  if (exports::is_detector(start)) log::info("{}: of the detector the backbone alone is written", start.where);
  if (objectives::is_segmenter(start.tensors))
    log::info("{}: of the segmenter the backbone alone is written", start.where);
  if (options.image_size) start.model.fit_to_pictures(*options.image_size, "image_size");
  exports::Source source = exports::source_of(start, options.part == "auto");
  if (options.image_size) source.pictures.size = *options.image_size;
  source.out = options.out;
  const auto* target = std::ranges::find(kTargets, options.to, [](const Target& one) { return std::string(one.name); });
  return target->convert(source);
}

}  // namespace

int export_model(const config::Composed& composed) {
  const auto options = config::read<ExportOptions>(composed);
  const exports::Exported model = exported(options);
  const bool is_new = exports::write(model, options.out, options.overwrite, "out");
  log::info("{}: {}{}", options.out, model.what, is_new ? "" : "; it was there already, the same");
  print_how_to_open(model);
  return 0;
}

}  // namespace freeatm::commands
