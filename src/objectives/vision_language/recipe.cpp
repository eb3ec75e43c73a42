// SPDX-License-Identifier: Apache-2.0
// Vision-language training's options, and how the objective is made of them.
#include <memory>
#include <utility>

#include "freeatm/core/error.h"
#include "freeatm/core/model_path.h"
#include "freeatm/core/random.h"
#include "freeatm/core/shipped.h"
#include "freeatm/data/controls.h"
#include "freeatm/data/planned_views.h"
#include "freeatm/models/bert_weights.h"
#include "freeatm/objectives/vision_language/vision_language.h"
#include "freeatm/weights/load.h"
#include "freeatm/weights/weight_files.h"

namespace freeatm::objectives {

void PhraseOptions::fields(config::Fields& f) {
  f("weight", weight, "of the regions' loss, beside the others", config::at_least(0));
  f("temperature", temperature, "of the regions' contrast", config::more_than(0));
  f("min_cells", min_cells, "regions that cover less of the backbone's last grid are left out", config::more_than(0));
}

void TextOptions::fields(config::Fields& f) {
  f("tokenizer", tokenizer, "folder of a tokenizer (CLIP's byte pairs or BERT's WordPiece), or a vocab.txt");
  f("weights", weights, "bert: weights to start from, such as bert-base-uncased's, or none");
  encoder.fields(f);
  if (f.reading() && encoder.name == "clip" && weights != "none")
    f.refuse("weights", "are a BERT's, for name=bert; a whole CLIP is started from by `checkpoint`");
}

void WeightOptions::fields(config::Fields& f) { f("weight", weight, "of this loss", config::at_least(0)); }

void HiddenWordsOptions::fields(config::Fields& f) {
  f("weight", weight, "of this loss", config::at_least(0));
  f("probability", probability, "that a word is hidden", config::between(0, 1));
}

void VisionLanguageOptions::fields(config::Fields& f) {
  f.group("text", text);
  f("dimensions", dimensions, "of the embeddings that pictures and texts are compared by", config::at_least(2));
  f("temperature", temperature, "of their contrast at first; it is learnt", config::between(0.001, 10));
  f("max_scale", max_scale, "1 / temperature grows no larger", config::at_least(1));
  f.group("itc", itc);
  f.group("itm", itm);
  f.group("mlm", mlm);
  f("momentum", momentum, "of momentum encoders, whose embeddings are the contrast's keys; null: there are none",
    config::between(0, 1));
  f("queue", queue, "embeddings by the momentum encoders that are kept as keys", config::between(0, 1 << 24));
  f("alpha", alpha, "how much of the contrast's targets the momentum encoders say", config::between(0, 1));
  f("regions", regions,
    "none; contrast: features in a phrase's mask against the phrase; prompt: where things are, behind the caption",
    config::any_of({"none", "contrast", "prompt"}));
  f.group("phrase", phrase);
  f.group("prompt", prompt);
  f("min_scale", min_scale, "least area of the view's random crop, as a fraction of the picture's",
    config::between(0.01, 1));
  f("sides", sides,
    "a mirrored picture's caption: swap: left and right change places; keep: a picture whose caption says left or "
    "right "
    "is not mirrored; ignore: as it is",
    config::any_of({"swap", "keep", "ignore"}));
  f("keep_colours", keep_colours, "colours do not change where the caption names one");
  data::augment_on_field(f, augment_on);
  f.group("augment", augment);
  f("control", control,
    "none; shuffled: another picture's masks; permuted: those of its own other phrases; boxes: random ones of equal "
    "area; saliency: what stands out by colour; exact: the dataset's own",
    config::any_of({"none", "shuffled", "permuted", "boxes", "saliency", "exact"}));
  f("allow_missing", allow_missing, "captions without phrases that have masks are pairs without regions, not an error");
  if (!f.reading()) return;
  if (queue > 0 && !momentum) f.refuse("queue", "holds embeddings by momentum encoders: set momentum, or 0");
  if (control != "none" && !needs_masks())
    f.refuse("control", control + " changes masks, and nothing here uses them: regions=contrast or prompt");
}

namespace {

/// Refuses now rather than in the first step.
void require_captions(const data::Dataset& dataset) {
  RandomStream unused(0, "captions");
  if (dataset.size() == 0) return;
  const data::Sample sample = dataset.get(0, unused);
  if (sample.captions.empty()) {
    throw UserError(sample.key, "data.root",
                    "the picture has no caption: vision-language training needs shards of a harvest, COCO's captions, "
                    "Karpathy's json, or pictures with .txt");
  }
}

class VisionLanguageRecipe final : public Recipe {
 public:
  void fields(config::Fields& f) override { options_.fields(f); }

  std::unique_ptr<data::Dataset> wrap(std::unique_ptr<data::Dataset> dataset) const override {
    dataset = data::with_control(std::move(dataset), options_.control, data::Phrases::kKept);
    require_captions(*dataset);
    return dataset;
  }

  bool contrasts() const override { return true; }

  std::vector<runs::Input> inputs() const override {
    const auto input = [](const char* key, const fs::path& path) {
      require_model(path, key);
      return runs::Input{key, runs::identity_of(path)};
    };
    std::vector<runs::Input> all{input("objective.text.tokenizer", find_shipped(options_.text.tokenizer))};
    if (options_.text.weights != "none") all.push_back(input("objective.text.weights", options_.text.weights));
    return all;
  }

  std::shared_ptr<training::Objective> make(const MakeBackbone& backbone, uint64_t seed) const override {
    std::shared_ptr<const text::Tokenizer> tokenizer = text::open_tokenizer(find_shipped(options_.text.tokenizer));
    auto objective = std::make_shared<VisionLanguage>(backbone(), options_.momentum ? backbone() : nullptr, options_,
                                                      std::move(tokenizer), seed);
    if (options_.text.weights != "none") {
      models::VisionLanguageModelImpl& model = objective->model();
      models::load_bert(*model.text_encoder(), model.fuses() ? &*model.mlm_head() : nullptr,
                        weights::load_weight_file(options_.text.weights), options_.text.weights,
                        "objective.text.weights");
    }
    return objective;
  }

 private:
  VisionLanguageOptions options_;
};

}  // namespace

std::unique_ptr<Recipe> vision_language_recipe() { return std::make_unique<VisionLanguageRecipe>(); }

}  // namespace freeatm::objectives
