// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "freeatm/text/tokenizer.h"

namespace freeatm::text {

/// CLIP's byte-pair tokenizer, Radford et al. 2021: equals transformers 5's CLIPTokenizer on the same folder. That one
/// composes characters (NFC) and lower-cases them; what ftfy would mend besides (transformers 4's slow tokenizer where
/// ftfy is installed: "&amp;", mojibake) stays as it is.
class ClipTokenizer final : public Tokenizer {
 public:
  /// A folder with tokenizer.json, or with vocab.json and merges.txt (special_tokens_map.json, tokenizer_config.json
  /// and added_tokens.json where present). Throws UserError.
  explicit ClipTokenizer(const std::string& folder);
  ~ClipTokenizer() override;
  ClipTokenizer(ClipTokenizer&&) noexcept;

  Encoding encode(std::string_view text) const override;
  std::vector<bool> word_starts(const Encoding& encoding) const override;

  int64_t model_max_length() const override;
  int64_t bos_id() const override;
  int64_t eos_id() const override;
  int64_t pad_id() const override;
  /// vocab_size: CLIP never hides words. A text model that does has vocab_size + 1 ids (`id_count`).
  int64_t mask_id() const override { return vocab_size(); }
  std::vector<int64_t> special_ids() const override;
  int64_t vocab_size() const override;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace freeatm::text
