// SPDX-License-Identifier: Apache-2.0
// Where things are, written into the caption.
#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "freeatm/objectives/vision_language/vision_language.h"
#include "freeatm/vision/box.h"

namespace freeatm::objectives {

/// Which of 3 x 3 blocks, row by row from 0, the box's centre lies in.
int64_t block_of(const vision::Box& box, int64_t height, int64_t width);

/// A thing as the view shows it.
struct PlacedThing {
  std::string name;
  int64_t block = 0;
};

/// Prompts of things drawn evenly, in the order of the draw, until there are enough or the next one would be over the
/// budget of words.
std::vector<std::string> write_prompts(const std::vector<PlacedThing>& things, const PromptOptions& options,
                                       RandomStream random);

/// A text as the model gets it.
struct ModelText {
  std::vector<int64_t> ids;       // start, the caption's tokens, those of the prompts, end
  std::vector<bool> word_starts;  // of each id; start and end begin none
  std::vector<text::Span> spans;  // of the caption's tokens, which stand from ids[1] on
  int64_t cut = 0;                // tokens of the caption that had no room
};

/// The caption makes way for the prompts; prompts that would leave it no room are left out.
///   max_length: ids, at most
ModelText model_text(const text::Tokenizer& tokenizer, const std::string& caption,
                     const std::vector<std::string>& prompts, int64_t max_length);

}  // namespace freeatm::objectives
