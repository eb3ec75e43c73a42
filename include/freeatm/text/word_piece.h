// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "freeatm/text/tokenizer.h"

namespace freeatm::text {

/// BERT's WordPiece tokenizer, Devlin et al. 2019: equals transformers 5's BertTokenizer on the same files, ids and
/// places. Text is cleaned of control characters, Chinese characters are words of their own, accents and capitals go
/// where the config says so; a word is cut into the longest pieces that the vocabulary has, the second and later ones
/// written "##piece", and one that cannot be cut, or has over 100 characters, is [UNK]. Characters are judged by
/// Unicode 14; transformers has a few hundred rare marks and punctuation signs, added since Unicode 8, otherwise.
class WordPiece final : public Tokenizer {
 public:
  /// A vocab.txt, one piece a line with its id counted from 0, or the folder of one, whose tokenizer_config.json is
  /// obeyed where it is there: do_lower_case (true), strip_accents (as do_lower_case), tokenize_chinese_chars (true)
  /// and model_max_length (512). Special tokens are [PAD], [UNK], [CLS], [SEP] and, where it is there, [MASK]. Throws
  /// UserError.
  explicit WordPiece(const std::string& path);
  ~WordPiece() override;

  Encoding encode(std::string_view text) const override;
  std::vector<bool> word_starts(const Encoding& encoding) const override;

  int64_t model_max_length() const override;
  int64_t bos_id() const override;  // [CLS]
  int64_t eos_id() const override;  // [SEP]
  int64_t pad_id() const override;
  int64_t mask_id() const override;
  std::vector<int64_t> special_ids() const override;
  int64_t vocab_size() const override;

 private:
  struct State;
  std::unique_ptr<const State> state_;
};

}  // namespace freeatm::text
