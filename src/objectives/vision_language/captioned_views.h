// SPDX-License-Identifier: Apache-2.0
// From a captioned picture to what vision-language training is fed.
#pragma once
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "freeatm/data/batch.h"
#include "freeatm/objectives/vision_language/hidden_words.h"
#include "freeatm/objectives/vision_language/vision_language.h"
#include "freeatm/text/tokenizer.h"

namespace freeatm::objectives {

class CaptionedViews {
 public:
  ///   grid_side: cells of the backbone's last grid
  CaptionedViews(const VisionLanguageOptions& options, std::shared_ptr<const text::Tokenizer> tokenizer,
                 int64_t grid_side);

  /// One of the picture's captions, drawn evenly, and a view of it. "image": bytes [size, size, 3]; "claims": what the
  /// caption says and which picture it is of (data::claims_row); "draw": a number that noise is drawn from; "facts":
  /// [5], kCut and so on. Ragged: "ids" and "hidden_ids" [n]; "word_places" [m], of the hidden tokens, and
  /// "word_labels", what stood there; "regions" [P, grid, grid], each phrase's share of the cells, "phrase_spans" [P,
  /// 2], from one of the ids up to another, and "phrase_texts" [P], equal for equal ones.
  data::View prepare(data::Sample&& sample, RandomStream& random) const;
  enum Fact { kCut, kPhrases, kPhrasesCut, kPrompts, kNoPhrases, kFacts };

  /// Texts become rows: "ids" and "hidden_ids" [B, N], and "mask" [B, N] bool, true where there is text. "matches": [B,
  /// B] bool, picture i and text j; "noise": [B, 2, B], what negatives are drawn with.
  data::Batch collate(std::vector<data::View>&& views, const std::vector<std::string>& keys) const;

  /// What the text encoder must know.
  int64_t id_count() const { return ids_known(options_.text.encoder, *tokenizer_); }

 private:
  struct Text;
  void add_text(const Text& text, const RandomStream& random, data::View& view) const;
  void add_regions(const Text& text, const vision::MaskSet& masks, data::View& view) const;

  VisionLanguageOptions options_;
  std::shared_ptr<const text::Tokenizer> tokenizer_;
  HidingVocabulary vocabulary_;
  int64_t grid_side_;
  int64_t ranks_;  // whose captions a picture may have as its hard negative
};

}  // namespace freeatm::objectives
