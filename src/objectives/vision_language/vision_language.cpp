// SPDX-License-Identifier: Apache-2.0
#include "freeatm/objectives/vision_language/vision_language.h"

#include <utility>

#include <ATen/ATen.h>

#include "freeatm/core/error.h"
#include "freeatm/core/random.h"
#include "freeatm/data/matches.h"
#include "freeatm/models/initialize.h"
#include "freeatm/models/unit.h"
#include "freeatm/objectives/vision_language/losses.h"
#include "freeatm/runtime/ranks.h"

#include "../cells.h"
#include "captioned_views.h"

namespace freeatm::objectives {
namespace {

using at::Tensor;

constexpr int64_t kFit = 1, kDoNotFit = 0;  // ITM's labels

/// Labels of ITM's rows: of pairs that fit, of pictures with another text, of texts with another picture.
Tensor itm_labels(const HardNegatives& of_images, const HardNegatives& of_texts) {
  const Tensor fit = at::full({of_images.columns.size(0)}, kFit, of_images.columns.options());
  const auto labels = [&](const Tensor& exist) {
    return at::where(exist, at::full_like(fit, kDoNotFit), at::full_like(fit, kNoLabel));
  };
  return at::cat({fit, labels(of_images.exist), labels(of_texts.exist)});
}

/// Share of the labelled rows whose largest logit is the label's.
Tensor accuracy(const Tensor& logits, const Tensor& labels) {
  const Tensor labelled = labels != kNoLabel;
  return ((logits.argmax(1) == labels) & labelled).sum().to(at::kFloat) / labelled.sum();
}

// [B, ranks * B], of pictures with captions and of captions with pictures alike.
Tensor all_matches(const data::Batch& batch) {
  if (runtime::ranks().is_alone()) return batch["matches"];
  return data::matches_of(batch["claims"], runtime::ranks().gather(batch["claims"]));
}

struct AllTexts {
  Tensor tokens, mask;  // [ranks * B, N, dim], [ranks * B, N]
};

// As long as the longest of all ranks.
AllTexts gathered_texts(const Tensor& tokens, const Tensor& mask) {
  runtime::Ranks& ranks = runtime::ranks();
  if (ranks.is_alone()) return {tokens, mask};
  const int64_t longest = ranks.gather(at::full({1}, mask.size(1), at::kLong)).max().item<int64_t>();
  const int64_t missing = longest - mask.size(1);
  return {runtime::gathered(at::constant_pad_nd(tokens, {0, 0, 0, missing})),
          ranks.gather(at::constant_pad_nd(mask, {0, missing}))};
}

// The batch's pictures twice, then one with each text: a hard negative, which may be another rank's.
models::FusionPictures with_negatives(const Tensor& tokens, const Tensor& own, const Tensor& negatives) {
  if (runtime::ranks().is_alone()) return {tokens, at::cat({own, own, negatives})};
  const Tensor others = runtime::gathered(tokens).index_select(0, negatives);
  return {at::cat({tokens, others}), at::cat({own, own, own + own.size(0)})};
}

// The new rows in front of the queue's, whose oldest go.
void enqueue(Tensor& queue, const Tensor& rows) {
  const int64_t size = queue.size(0);
  queue.copy_(at::cat({rows.to(queue.scalar_type()), queue}).narrow(0, 0, size));
}

}  // namespace

VisionLanguage::VisionLanguage(std::shared_ptr<models::Backbone> backbone,
                               std::shared_ptr<models::Backbone> momentum_backbone,
                               const VisionLanguageOptions& options, std::shared_ptr<const text::Tokenizer> tokenizer,
                               uint64_t seed)
    : options_(options) {
  views_ = std::make_unique<CaptionedViews>(options, std::move(tokenizer),
                                            options.needs_masks() ? grid_side_of(*backbone, options.augment.size) : 0);
  model_ = models::VisionLanguageModel(std::move(backbone), options.model(), views_->id_count());
  model_->initialize(seed);
  for (const auto& child : model_->named_children()) register_module(child.key(), child.value());
  register_parameter("logit_scale", model_->named_parameters(/*recurse=*/false)["logit_scale"]);
  if (options.momentum) add_momentum_side(std::move(momentum_backbone), views_->id_count(), seed);
}

VisionLanguage::~VisionLanguage() = default;

void VisionLanguage::add_momentum_side(std::shared_ptr<models::Backbone> backbone, int64_t id_count, uint64_t seed) {
  FREEATM_CHECK(backbone, "momentum encoders need a backbone of their own");
  models::VisionLanguageModelOptions towers = options_.model();
  towers.text.depth -= towers.text.fusion_layers;  // what the contrast needs
  towers.text.fusion_layers = 0;
  momentum_model_ = models::VisionLanguageModel(std::move(backbone), towers, id_count);
  for (const auto& child : momentum_model_->named_children()) {
    register_module("momentum_" + child.key(), child.value());
    momentum_side_.follow(*model_->named_children()[child.key()], *child.value());
  }
  if (options_.queue == 0) return;
  const int64_t size = options_.queue, dimensions = options_.dimensions;
  const RandomStream random(seed, "queue");
  const auto filled = [&](const std::string& name) {
    const Tensor rows = at::empty({size, dimensions});
    models::fill_normal(rows, 1, random.fork(name));
    return register_buffer(name, models::unit(rows));
  };
  image_queue_ = filled("image_queue");
  text_queue_ = filled("text_queue");
  claims_queue_ = register_buffer(
      "claims_queue", at::zeros({size, static_cast<int64_t>(text::Claims().size()) + 1}, at::kLong));  // of no caption
}

data::View VisionLanguage::prepare(data::Sample&& sample, RandomStream& random, double /*progress*/) const {
  return views_->prepare(std::move(sample), random);
}

data::Batch VisionLanguage::collate(std::vector<data::View>&& views, const std::vector<std::string>& keys) const {
  return views_->collate(std::move(views), keys);
}

training::Counts VisionLanguage::counts(const data::Batch& batch) const {
  training::Counts counts;
  if (options_.fuses()) {
    const Tensor others = all_matches(batch).logical_not();
    counts["itm"] = batch.size + 2 * others.any(1).sum().item<int64_t>();  // a picture and its caption match the same
    counts["mlm"] = batch.ragged.at("word_labels").values.size(0);
  }
  if (options_.regions == "contrast") counts["regions"] = batch.ragged.at("regions").values.size(0);
  return counts;
}

training::Losses VisionLanguage::losses(const data::Batch& batch) {
  const Tensor pixels = normalized_(batch["image"], model_->backbone().parameters().front().scalar_type());
  const Images images = model_->encode_images(pixels);
  const Tensor &ids = batch["ids"], &mask = batch["mask"];
  Texts texts;
  Tensor hidden_tokens;
  if (options_.fuses()) {  // the text as it is and with hidden words, in one pass
    const Texts both = model_->encode_texts(at::cat({ids, batch["hidden_ids"]}), at::cat({mask, mask}));
    texts = {both.embedding.narrow(0, 0, batch.size), both.tokens.narrow(0, 0, batch.size)};
    hidden_tokens = both.tokens.narrow(0, batch.size, batch.size);
  } else {
    texts = model_->encode_texts(ids, mask);
  }
  training::Losses losses;
  const Tensor matches = all_matches(batch);
  losses.terms = {{"itc", itc(batch, matches, pixels, images, texts) * options_.itc.weight}};
  if (options_.fuses()) add_fused(batch, matches, images, texts, hidden_tokens, losses);
  if (options_.regions == "contrast") losses.terms.push_back(region_loss(batch, images, texts));
  observe(batch, images, texts, losses);
  return losses;
}

Tensor VisionLanguage::itc(const data::Batch& batch, const Tensor& matches, const Tensor& pixels, const Images& images,
                           const Texts& texts) {
  const Tensor scale = model_->scale();
  if (!options_.momentum) {
    const Tensor image_keys = runtime::gathered(images.embedding), text_keys = runtime::gathered(texts.embedding);
    return itc_loss({images.embedding, text_keys, matches}, {texts.embedding, image_keys, matches}, scale);
  }
  const Tensor& claims = batch["claims"];
  Tensor soft_images, soft_texts;
  {
    const at::NoGradGuard no_grad;
    soft_images = momentum_model_->encode_images(pixels).embedding;
    soft_texts = momentum_model_->encode_texts(batch["ids"], batch["mask"]).embedding;
  }
  const Tensor new_images = runtime::ranks().gather(soft_images), new_texts = runtime::ranks().gather(soft_texts);
  Tensor image_keys = new_images, text_keys = new_texts, fit = matches;
  if (options_.queue > 0) {
    image_keys = at::cat({new_images, image_queue_.to(new_images.scalar_type())});
    text_keys = at::cat({new_texts, text_queue_.to(new_texts.scalar_type())});
    fit = at::cat({fit, data::matches_of(claims, claims_queue_)}, 1);
  }
  Tensor loss = itc_loss({images.embedding, text_keys, fit, soft_images},
                         {texts.embedding, image_keys, fit, soft_texts}, scale, options_.alpha);
  if (options_.queue > 0) {
    const at::NoGradGuard no_grad;
    enqueue(image_queue_, new_images);
    enqueue(text_queue_, new_texts);
    enqueue(claims_queue_, runtime::ranks().gather(claims));
  }
  return loss;
}

void VisionLanguage::add_fused(const data::Batch& batch, const Tensor& matches, const Images& images,
                               const Texts& texts, const Tensor& hidden_tokens, training::Losses& losses) {
  const Tensor &mask = batch["mask"], &noise = batch["noise"];
  const Tensor scale = model_->scale().detach();
  const auto negatives = [&](const Tensor& queries, const Tensor& keys, int64_t way) {
    const Tensor similarity = scale * queries.detach().mm(runtime::ranks().gather(keys).t());
    return itm_negatives(similarity, matches, noise.select(1, way));
  };
  const HardNegatives of_images = negatives(images.embedding, texts.embedding, 0);
  const HardNegatives of_texts = negatives(texts.embedding, images.embedding, 1);

  // Pairs that fit, pictures with another text, texts with another picture: each picture's keys and values once.
  const Tensor own = at::arange(batch.size, of_images.columns.options());
  const AllTexts all = gathered_texts(texts.tokens, mask);
  const Tensor caption = own + runtime::ranks().rank().index * batch.size;
  const Tensor captions = at::cat({caption, of_images.columns, caption});
  const Tensor itm = model_->itm_logits(all.tokens.index_select(0, captions), all.mask.index_select(0, captions),
                                        with_negatives(images.tokens, own, of_texts.columns));
  const Tensor labels = itm_labels(of_images, of_texts);
  losses.terms.push_back({"itm", labelled_loss(itm, labels) * options_.itm.weight, (labels != kNoLabel).sum()});

  const data::Ragged &places = batch.ragged.at("word_places"), &words = batch.ragged.at("word_labels");
  const Tensor rows = places.owner() * mask.size(1) + places.values;
  const Tensor at_words = model_->fuse(hidden_tokens, mask, {images.tokens}).flatten(0, 1).index_select(0, rows);
  const Tensor mlm = model_->mlm_logits(at_words);
  losses.terms.push_back({"mlm", labelled_loss(mlm, words.values) * options_.mlm.weight,
                          at::full({}, words.values.size(0), words.values.options())});
  losses.observed = {{"itm_accuracy", accuracy(itm, labels)}, {"mlm_accuracy", accuracy(mlm, words.values)}};
}

training::Scalar VisionLanguage::region_loss(const data::Batch& batch, const Images& images, const Texts& texts) {
  const data::Ragged& regions = batch.ragged.at("regions");
  const Tensor& spans = batch.ragged.at("phrase_spans").values;
  const Tensor owner = regions.owner();
  const Tensor region = model_->image_embedding(pool_regions(images.grid, regions.values, owner));

  const Tensor places = at::arange(texts.tokens.size(1), spans.options()).unsqueeze(0);  // [1, N]
  const Tensor inside = (places >= spans.select(1, 0).unsqueeze(1)) & (places < spans.select(1, 1).unsqueeze(1));
  const Tensor weights = inside.to(texts.tokens.scalar_type());                                       // [P, N]
  const Tensor sums = at::bmm(weights.unsqueeze(1), texts.tokens.index_select(0, owner)).squeeze(1);  // [P, dim]
  const Tensor phrase = model_->text_embedding(sums / weights.sum(1, /*keepdim=*/true).clamp_min(1));
  const Tensor loss =
      phrase_contrast_loss(region, phrase, batch.ragged.at("phrase_texts").values, options_.phrase.temperature);
  return {"regions", loss * options_.phrase.weight, at::full({}, spans.size(0), spans.options())};
}

void VisionLanguage::observe(const data::Batch& batch, const Images& images, const Texts& texts,
                             training::Losses& losses) const {
  const at::NoGradGuard no_grad;
  auto& observed = losses.observed;
  const Tensor best = images.embedding.mm(texts.embedding.t()).argmax(1, /*keepdim=*/true);
  observed.push_back({"itc_accuracy", batch["matches"].gather(1, best).to(at::kFloat).mean()});
  observed.push_back({"temperature", 1 / model_->scale()});
  const Tensor facts = batch["facts"].mean(0);
  observed.push_back({"cut", facts[CaptionedViews::kCut]});
  if (options_.regions == "contrast") {
    observed.push_back({"phrases", facts[CaptionedViews::kPhrases]});
    observed.push_back({"phrases_cut", facts[CaptionedViews::kPhrasesCut]});
  }
  if (options_.regions == "prompt") observed.push_back({"prompts", facts[CaptionedViews::kPrompts]});
  if (options_.needs_masks()) observed.push_back({"no_phrases", facts[CaptionedViews::kNoPhrases]});
}

void VisionLanguage::after_step(double /*progress*/) {
  model_->limit_scale(options_.max_scale);
  if (options_.momentum) momentum_side_.update(*options_.momentum);
}

}  // namespace freeatm::objectives
