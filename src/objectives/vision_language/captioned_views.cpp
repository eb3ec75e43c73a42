// SPDX-License-Identifier: Apache-2.0
#include "captioned_views.h"

#include <algorithm>
#include <utility>

#include <ATen/ATen.h>

#include "freeatm/core/error.h"
#include "freeatm/core/utf8.h"
#include "freeatm/data/matches.h"
#include "freeatm/data/planned_views.h"
#include "freeatm/objectives/vision_language/losses.h"
#include "freeatm/runtime/ranks.h"
#include "freeatm/text/caption_edits.h"
#include "freeatm/text/claims.h"

#include "../cells.h"
#include "prompts.h"

namespace freeatm::objectives {
namespace {

using at::Tensor;

/// A region, and the phrase of the chosen caption that names it.
struct Named {
  int64_t region = 0, phrase = 0;
};

std::vector<Named> named_by(const data::Sample& sample, int64_t caption) {
  std::vector<Named> named;
  for (int64_t i = 0; i < std::ssize(sample.regions); ++i) {
    if (sample.regions[i].mask.area() == 0) continue;
    for (const data::PhraseIndex& index : sample.regions[i].phrases) {
      if (index.caption == caption) named.push_back({i, index.phrase});
    }
  }
  return named;
}

/// The view's chain, without what would make the caption wrong.
vision::AugmentOptions fitting_chain(const VisionLanguageOptions& options, const std::string& caption) {
  vision::AugmentOptions chain = options.augment;
  if (options.sides == "keep" && text::names_a_side(caption)) chain.flip_probability = 0;
  if (options.keep_colours && text::names_a_colour(caption)) chain.jitter_probability = chain.grayscale_probability = 0;
  return chain;
}

/// [B, N], N the most of any row; behind a row `fill`.
Tensor rows_of(const data::Ragged& ragged, int64_t fill) {
  const int64_t batch = ragged.offsets.size(0) - 1;
  const auto* offsets = ragged.offsets.const_data_ptr<int64_t>();
  const auto* values = ragged.values.const_data_ptr<int64_t>();
  Tensor rows = at::full({batch, ragged.rows().max().item<int64_t>()}, fill, at::kLong);
  for (int64_t i = 0; i < batch; ++i)
    std::copy(values + offsets[i], values + offsets[i + 1], rows.data_ptr<int64_t>() + i * rows.size(1));
  return rows;
}

}  // namespace

/// The chosen caption, as the view has it.
struct CaptionedViews::Text {
  text::Caption caption;
  std::vector<int64_t> phrases;  // of its phrases, which name the masks, in their order
  ModelText tokens;
  int64_t prompts = 0;
};

CaptionedViews::CaptionedViews(const VisionLanguageOptions& options, std::shared_ptr<const text::Tokenizer> tokenizer,
                               int64_t grid_side)
    : options_(options),
      tokenizer_(std::move(tokenizer)),
      vocabulary_(*tokenizer_),
      grid_side_(grid_side),
      ranks_(runtime::ranks().rank().world) {}

data::View CaptionedViews::prepare(data::Sample&& sample, RandomStream& random) const {
  if (sample.captions.empty()) throw UserError(sample.key, "data.root", "the picture has no caption");
  RandomStream crop = random.fork("crop"), chain = random.fork("view");
  const int64_t chosen = random.fork("caption").integer(std::ssize(sample.captions));
  const std::vector<Named> named = options_.needs_masks() ? named_by(sample, chosen) : std::vector<Named>();
  if (options_.needs_masks() && named.empty() && !options_.allow_missing) {
    throw UserError(sample.key, "data.root",
                    "no phrase of the caption '{}' has a mask, which regions={} needs (objective.allow_missing=true: "
                    "such pairs have no regions)",
                    sample.captions[chosen].text, options_.regions);
  }
  Text text{.caption = std::move(sample.captions[chosen])};
  vision::MaskSet masks(sample.image.height, sample.image.width);
  for (const Named& one : named) {
    masks.add(sample.regions[one.region].mask);
    text.phrases.push_back(one.phrase);
  }
  const vision::Box box = vision::random_resized_crop_box(sample.image.height, sample.image.width,
                                                          {options_.min_scale, 1.0}, vision::kCropRatio, crop);
  const vision::DrawnView drawn{box, vision::draw_augmentation(fitting_chain(options_, text.caption.text), chain)};
  masks = vision::augment(masks, drawn, options_.augment);
  if (drawn.chain.flip && options_.sides == "swap") text::mirror(text.caption);

  std::vector<std::string> prompts;
  if (options_.regions == "prompt") {
    std::vector<PlacedThing> things;
    for (int64_t i = 0; i < masks.count(); ++i) {
      const text::Phrase& phrase = text.caption.phrases[text.phrases[i]];
      if (phrase.role != text::Role::kThing || masks.area(i) == 0) continue;
      things.push_back({phrase.text, block_of(masks.box(i), options_.augment.size, options_.augment.size)});
    }
    prompts = write_prompts(things, options_.prompt, random.fork("prompt"));
  }
  text.prompts = std::ssize(prompts);
  text.tokens = model_text(*tokenizer_, text.caption.text, prompts, options_.text.encoder.max_length);

  data::View out{{"claims", data::claims_row(text::claims_of(text.caption), sample.key)},
                 {"draw", at::scalar_tensor(static_cast<int64_t>(random.fork("draw").next_u64() >> 1), at::kLong)},
                 {"facts", at::zeros({kFacts})}};
  add_text(text, random, out);
  if (options_.regions == "contrast") add_regions(text, masks, out);
  data::add_views(out, std::move(sample.image), {{"image", drawn, options_.augment}}, options_.augment_on);
  auto* facts = out["facts"].data_ptr<float>();
  facts[kCut] = text.tokens.cut > 0;
  facts[kPrompts] = static_cast<float>(text.prompts);
  facts[kNoPhrases] = named.empty();
  return out;
}

void CaptionedViews::add_text(const Text& text, const RandomStream& random, data::View& view) const {
  view.ragged["ids"] = at::tensor(text.tokens.ids, at::kLong);
  if (!options_.fuses()) return;
  const HiddenWords hidden =
      hide_words(text.tokens.ids, text.tokens.word_starts, options_.mlm.probability, vocabulary_, random.fork("words"));
  std::vector<int64_t> places, labels;
  for (int64_t i = 0; i < std::ssize(hidden.labels); ++i) {
    if (hidden.labels[i] == kNoLabel) continue;
    places.push_back(i);
    labels.push_back(hidden.labels[i]);
  }
  view.ragged["hidden_ids"] = at::tensor(hidden.ids, at::kLong);
  view.ragged["word_places"] = at::tensor(places, at::kLong);
  view.ragged["word_labels"] = at::tensor(labels, at::kLong);
}

void CaptionedViews::add_regions(const Text& text, const vision::MaskSet& masks, data::View& view) const {
  const Tensor shares = cell_shares(masks, grid_side_);  // [masks, grid, grid]
  std::vector<Tensor> kept;
  std::vector<int64_t> spans, texts;
  int64_t cut = 0;
  for (int64_t i = 0; i < masks.count(); ++i) {
    const text::Phrase& phrase = text.caption.phrases[text.phrases[i]];
    const std::vector<int64_t> tokens = text::tokens_in(phrase.span, text.tokens.spans);
    cut += tokens.empty();
    if (tokens.empty() || shares[i].sum().item<double>() < options_.phrase.min_cells) continue;
    kept.push_back(shares[i]);
    spans.insert(spans.end(), {tokens.front() + 1, tokens.back() + 2});  // behind the start token
    texts.push_back(text::text_number(lower_ascii(phrase.text)));
  }
  const int64_t count = std::ssize(kept);
  view.ragged["regions"] = kept.empty() ? at::zeros({0, grid_side_, grid_side_}) : at::stack(kept);
  view.ragged["phrase_spans"] = at::tensor(spans, at::kLong).view({count, 2});
  view.ragged["phrase_texts"] = at::tensor(texts, at::kLong);
  auto* facts = view["facts"].data_ptr<float>();
  facts[kPhrases] = static_cast<float>(count);
  facts[kPhrasesCut] = static_cast<float>(cut);
}

data::Batch CaptionedViews::collate(std::vector<data::View>&& views, const std::vector<std::string>& keys) const {
  data::Batch batch = data::collate(std::move(views), keys);
  for (const char* name : {"ids", "hidden_ids"}) {
    const auto found = batch.ragged.find(name);
    if (found == batch.ragged.end()) continue;
    batch.tensors[name] = rows_of(found->second, tokenizer_->pad_id());
    batch.tensors["mask"] =
        at::arange(batch[name].size(1)).unsqueeze(0) < found->second.rows().unsqueeze(1);  // the same of both
    batch.ragged.erase(found);
  }
  batch.tensors["matches"] = data::matches_of(batch["claims"], batch["claims"]);
  const int64_t all = batch.size * ranks_;
  std::vector<Tensor> noise;
  for (int64_t i = 0; i < batch.size; ++i) {
    const RandomStream random(static_cast<uint64_t>(batch["draw"][i].item<int64_t>()), "itm");
    noise.push_back(gumbel_noise(2 * all, random).view({2, all}));
  }
  batch.tensors["noise"] = at::stack(noise);
  return batch;
}

}  // namespace freeatm::objectives
