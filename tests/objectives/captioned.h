// SPDX-License-Identifier: Apache-2.0
// The small vision-language model and the captioned picture of the tests.
#pragma once
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "freeatm/core/files.h"
#include "freeatm/models/vit.h"
#include "freeatm/objectives/vision_language/vision_language.h"
#include "freeatm/text/word_piece.h"

#include "samples.h"
#include "testing.h"
#include "text/described.h"

namespace freeatm::objectives {

/// BERT's special tokens and these words, the vocabulary filled up to `size` ids.
inline std::shared_ptr<const text::Tokenizer> small_tokenizer(size_t size = 61) {
  std::vector<std::string> pieces{"[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"};
  for (const char* word : {"a",   "dog", "cat",   "to",    "the",  "left",  "right", "of", "on",   "grass", "red",
                           "and", ".",   "block", "has",   "0",    "1",     "2",     "3",  "4",    "5",     "6",
                           "7",   "8",   "big",   "small", "park", "##ing", "photo", "an", "apple"})
    pieces.emplace_back(word);
  while (pieces.size() < size) pieces.push_back("w" + std::to_string(pieces.size()));
  const testing::TemporaryFolder folder;
  std::string lines;
  for (const std::string& piece : pieces) lines += piece + "\n";
  write_file(folder / "vocab.txt", lines);
  return std::make_shared<text::WordPiece>((folder / "vocab.txt").string());
}

/// Of scripts/baselines/vision_language_model.py.
inline VisionLanguageOptions small_options() {
  VisionLanguageOptions options;
  options.text.encoder = {.max_length = 16, .dim = 24, .depth = 4, .heads = 3, .mlp_dim = 52, .fusion_layers = 2};
  options.dimensions = 16;
  options.augment.size = 32;
  return options;
}

inline std::shared_ptr<models::ViT> small_encoder(uint64_t seed = 1) {
  auto model = std::make_shared<models::ViT>(
      models::ViTOptions{.image_size = 32, .patch_size = 8, .dim = 48, .depth = 2, .heads = 3});
  model->initialize(seed);
  return model;
}

inline std::shared_ptr<VisionLanguage> small_objective(
    const VisionLanguageOptions& options, std::shared_ptr<const text::Tokenizer> words = small_tokenizer()) {
  return std::make_shared<VisionLanguage>(small_encoder(), options.momentum ? small_encoder(2) : nullptr, options,
                                          std::move(words), 3);
}

/// A dog in the picture's upper left quarter, a cat in the lower right one, 48 pixels to a side.
inline data::Sample dog_and_cat(const std::string& caption = "a dog to the left of a cat") {
  data::Sample sample;
  sample.key = "x";
  sample.image = vision::Image(48, 48);
  for (size_t i = 0; i < sample.image.pixels.size(); ++i) sample.image.pixels[i] = static_cast<uint8_t>(i * 7);
  testing::add_region(sample, "dog", text::Role::kThing, testing::rectangle(48, 48, {2, 2, 20, 20}));
  testing::add_region(sample, "cat", text::Role::kThing, testing::rectangle(48, 48, {26, 26, 20, 20}));
  const text::Caption described = testing::described(caption, {"dog", "cat"});
  testing::set_caption(sample, described.text, described.phrases);
  return sample;
}

}  // namespace freeatm::objectives
