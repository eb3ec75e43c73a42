// SPDX-License-Identifier: Apache-2.0
// Pictures and their captions: contrast, matching and hidden words, and regions with their phrases.
#pragma once
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <ATen/core/Tensor.h>

#include "freeatm/config/fields.h"
#include "freeatm/models/image_normalize.h"
#include "freeatm/models/vision_language.h"
#include "freeatm/objectives/recipe.h"
#include "freeatm/text/tokenizer.h"
#include "freeatm/training/ema.h"
#include "freeatm/training/objective.h"
#include "freeatm/vision/augment.h"

namespace freeatm::objectives {

struct TextOptions {
  std::string tokenizer = "models/emoji/tokenizer";
  std::string weights = "none";  // or a BERT's
  models::TextEncoderOptions encoder;
  void fields(config::Fields& f);
};

struct WeightOptions {
  double weight = 1;
  void fields(config::Fields& f);
};

struct HiddenWordsOptions {
  double weight = 1, probability = 0.15;
  void fields(config::Fields& f);
};

/// regions: contrast.
struct PhraseOptions {
  double weight = 0.5;  // of the regions' loss, beside the others
  double temperature = 0.07;
  double min_cells = 0.5;  // of the grid: a region that covers less is left out
  void fields(config::Fields& f);
};

/// regions: prompt. The defaults are PTP's (Wang et al. 2023).
struct PromptOptions {
  int64_t things = 1, words = 8;
  std::string pattern = "The block {block} has a {tag}.";
  void fields(config::Fields& f);
};

struct VisionLanguageOptions {
  TextOptions text;
  int64_t dimensions = 64;                     // of the embeddings that are compared
  double temperature = 0.07, max_scale = 100;  // of the contrast at first; 1 / temperature at most
  WeightOptions itc, itm;
  HiddenWordsOptions mlm;
  std::optional<double> momentum;  // of momentum encoders; none: there are none
  int64_t queue = 0;               // of embeddings by the momentum encoders
  double alpha = 0.4;              // how much of the targets they say
  std::string regions = "none";    // "none" | "contrast" | "prompt"
  PhraseOptions phrase;
  PromptOptions prompt;
  double min_scale = 0.5;      // of the view's random resized crop
  std::string sides = "swap";  // "swap" | "keep" | "ignore"
  bool keep_colours = true;
  std::string augment_on = "loader";  // "loader" | "device"
  vision::AugmentOptions augment{
      .interpolation = "bicubic", .jitter_probability = 0, .grayscale_probability = 0, .blur_probability = 0};
  std::string control = "none";
  bool allow_missing = false;
  void fields(config::Fields& f);

  bool needs_masks() const { return regions != "none"; }
  bool fuses() const { return text.encoder.fusion_layers > 0; }
  models::VisionLanguageModelOptions model() const { return {text.encoder, dimensions, temperature}; }
};

/// How many ids the text encoder must know.
inline int64_t ids_known(const models::TextEncoderOptions& encoder, const text::Tokenizer& tokenizer) {
  return encoder.hides_words() ? tokenizer.id_count() : tokenizer.vocab_size();
}

class CaptionedViews;

/// CLIP's contrast (Radford et al. 2021), and with fusion layers ALBEF's matching and hidden words (Li et al. 2021).
/// Losses, each as weighted: "itc", "itm", "mlm", and "regions". Two captions that may both fit a picture
/// (text::may_both_fit) are never each other's negatives. Observed:
///   itc_accuracy                share of pictures whose best text of the batch fits
///   itm_accuracy, mlm_accuracy
///   temperature                 of the contrast
///   cut                         share of captions that were too long
///   phrases, phrases_cut        regions=contrast: compared and cut with their caption, per picture
///   prompts                     regions=prompt: written, per picture
///   no_phrases                  regions: share of pictures without any
/// ALBEF's soft targets for hidden words are not here.
class VisionLanguage final : public training::Objective {
 public:
  ///   momentum_backbone: of the same shape, where there are momentum encoders
  VisionLanguage(std::shared_ptr<models::Backbone> backbone, std::shared_ptr<models::Backbone> momentum_backbone,
                 const VisionLanguageOptions& options, std::shared_ptr<const text::Tokenizer> tokenizer, uint64_t seed);
  ~VisionLanguage() override;

  /// See captioned_views.h.
  data::View prepare(data::Sample&& sample, RandomStream& random, double progress) const override;
  data::Batch collate(std::vector<data::View>&& views, const std::vector<std::string>& keys) const override;
  training::Losses losses(const data::Batch& batch) override;
  training::Counts counts(const data::Batch& batch) const override;
  void after_step(double progress) override;

  models::VisionLanguageModelImpl& model() { return *model_; }

 private:
  using Images = models::VisionLanguageModelImpl::Images;
  using Texts = models::VisionLanguageModelImpl::Texts;

  void add_momentum_side(std::shared_ptr<models::Backbone> backbone, int64_t id_count, uint64_t seed);
  ///   matches: [B, ranks * B] bool, captions that fit a picture, of all ranks
  at::Tensor itc(const data::Batch& batch, const at::Tensor& matches, const at::Tensor& pixels, const Images& images,
                 const Texts& texts);
  void add_fused(const data::Batch& batch, const at::Tensor& matches, const Images& images, const Texts& texts,
                 const at::Tensor& hidden_tokens, training::Losses& losses);
  training::Scalar region_loss(const data::Batch& batch, const Images& images, const Texts& texts);
  void observe(const data::Batch& batch, const Images& images, const Texts& texts, training::Losses& losses) const;

  VisionLanguageOptions options_;
  std::unique_ptr<const CaptionedViews> views_;
  models::VisionLanguageModel model_{nullptr}, momentum_model_{nullptr};
  models::ImageNormalize normalized_;
  training::Averages momentum_side_;
  at::Tensor image_queue_, text_queue_, claims_queue_;  // [queue, dimensions], likewise, [queue, claims + 1]
};

std::unique_ptr<Recipe> vision_language_recipe();

}  // namespace freeatm::objectives
