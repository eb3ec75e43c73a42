// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <algorithm>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "freeatm/text/phrase.h"

namespace freeatm::text {

/// A text's tokens, without start, end and padding.
struct Encoding {
  std::vector<int64_t> ids;
  std::vector<std::string> pieces;  // "dog</w>" of byte pairs, "##ing" of WordPiece
  std::vector<Span> spans;          // each token's place in the text as given
  int64_t cut = 0;                  // tokens at the text's end that did not fit

  /// Keeps the first `tokens` at most, and counts the others.
  void shorten(int64_t tokens);
};

/// What a text model takes its ids from: ClipTokenizer or WordPiece.
class Tokenizer {
 public:
  virtual ~Tokenizer() = default;

  /// All tokens of the text, cut to model_max_length - 2 as the model sees them.
  virtual Encoding encode(std::string_view text) const = 0;
  /// Start, tokens, end, padding: `length` ids, or model_max_length ids. The tokens must fit.
  std::vector<int64_t> padded_ids(const Encoding& encoding, int64_t length) const;
  std::vector<int64_t> padded_ids(const Encoding& encoding) const { return padded_ids(encoding, model_max_length()); }
  /// Of each token, whether a word begins with it: the others go on with the word before them.
  virtual std::vector<bool> word_starts(const Encoding& encoding) const = 0;

  virtual int64_t model_max_length() const = 0;
  virtual int64_t bos_id() const = 0;
  virtual int64_t eos_id() const = 0;
  virtual int64_t pad_id() const = 0;
  /// What stands for a hidden token. A vocabulary without one (CLIP's has none) gets the id behind its last.
  virtual int64_t mask_id() const = 0;
  /// Those of no word: start, end, padding, mask, the unknown token, and what a folder adds.
  virtual std::vector<int64_t> special_ids() const = 0;
  virtual int64_t vocab_size() const = 0;
  /// How many ids a model of masked words must know: vocab_size, and one more where the mask's lies behind it.
  int64_t id_count() const { return std::max(vocab_size(), mask_id() + 1); }
};

/// A vocab.txt, or a folder of transformers that has one: WordPiece. Any other folder: ClipTokenizer. Throws UserError.
std::unique_ptr<Tokenizer> open_tokenizer(const std::string& path);

}  // namespace freeatm::text
