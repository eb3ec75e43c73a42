// SPDX-License-Identifier: Apache-2.0
#include "freeatm/objectives/vision_language/hidden_words.h"

#include "freeatm/core/error.h"
#include "freeatm/objectives/vision_language/losses.h"

namespace freeatm::objectives {
namespace {

constexpr double kBecomeMask = 0.8, kBecomeRandom = 0.1;

}  // namespace

HidingVocabulary::HidingVocabulary(const text::Tokenizer& tokenizer)
    : mask_id(tokenizer.mask_id()), vocab_size(tokenizer.vocab_size()), is_special(tokenizer.id_count()) {
  for (const int64_t id : tokenizer.special_ids()) is_special[id] = true;
  for (int64_t id = 0; id < vocab_size; ++id) {
    if (!is_special[id]) ordinary.push_back(id);
  }
  if (ordinary.empty()) throw UserError("", "", "the vocabulary has special tokens only: there are no words to hide");
}

HiddenWords hide_words(const std::vector<int64_t>& ids, const std::vector<bool>& word_starts, double probability,
                       const HidingVocabulary& vocabulary, RandomStream random) {
  FREEATM_CHECK(ids.size() == word_starts.size(), "{} ids, {} word starts", ids.size(), word_starts.size());
  HiddenWords out{ids, std::vector<int64_t>(ids.size(), kNoLabel)};
  bool in_word = false, hidden = false;
  for (size_t i = 0; i < ids.size(); ++i) {
    if (vocabulary.is_special[ids[i]]) {
      in_word = false;
      continue;
    }
    if (word_starts[i] || !in_word) hidden = random.bernoulli(probability);
    in_word = true;
    if (!hidden) continue;
    out.labels[i] = ids[i];
    ++out.chosen;
    const double fate = random.uniform();
    if (fate < kBecomeMask) {
      out.ids[i] = vocabulary.mask_id;
    } else if (fate < kBecomeMask + kBecomeRandom) {
      out.ids[i] = vocabulary.ordinary[random.integer(static_cast<int64_t>(vocabulary.ordinary.size()))];
    }
  }
  return out;
}

}  // namespace freeatm::objectives
