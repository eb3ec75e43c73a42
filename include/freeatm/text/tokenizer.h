// SPDX-License-Identifier: Apache-2.0
#pragma once
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
  std::vector<std::string> pieces;  // "dog</w>"
  std::vector<Span> spans;          // each token's place in the text as given
  int64_t cut = 0;                  // tokens at the text's end that did not fit
};

/// CLIP's byte-pair tokenizer, Radford et al. 2021: equals transformers 5's CLIPTokenizer on the same folder. That one
/// composes characters (NFC) and lower-cases them; what ftfy would mend besides (transformers 4's slow tokenizer where
/// ftfy is installed: "&amp;", mojibake) stays as it is.
class ClipTokenizer {
 public:
  /// A folder with tokenizer.json, or with vocab.json and merges.txt (special_tokens_map.json, tokenizer_config.json
  /// and added_tokens.json where present). Throws UserError.
  explicit ClipTokenizer(const std::string& folder);
  ~ClipTokenizer();
  ClipTokenizer(ClipTokenizer&&) noexcept;

  /// All tokens of the text, cut to model_max_length - 2 as the model sees them.
  Encoding encode(std::string_view text) const;
  /// start, tokens, end, padding: model_max_length ids.
  std::vector<int64_t> padded_ids(const Encoding& encoding) const;

  int64_t model_max_length() const;
  int64_t bos_id() const;
  int64_t eos_id() const;
  int64_t pad_id() const;
  int64_t vocab_size() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace freeatm::text
