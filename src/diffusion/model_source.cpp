// SPDX-License-Identifier: Apache-2.0
#include "model_source.h"

#include <algorithm>
#include <utility>

#include <ATen/ATen.h>

#include "freeatm/core/format.h"
#include "freeatm/core/log.h"

namespace freeatm::diffusion {
namespace {

/// "'dog', 'cat', 'tree' and 12 more"
std::string listed(const std::vector<std::string>& names) {
  constexpr size_t kShown = 10;
  std::string out;
  for (size_t i = 0; i < std::min(names.size(), kShown); ++i) out += (i > 0 ? ", " : "") + names[i];
  return names.size() > kShown ? format("{} and {} more", out, names.size() - kShown) : out;
}

}  // namespace

void ModelSource::complete(std::vector<Harvested>& pictures, int64_t begin, const PromptBatch& prompts,
                           const AttentionHarvester& harvester) const {
  pipeline_.require_unwritten();
  const auto maps = harvester.maps();
  std::vector<SelfAttention> self(pictures.size());
  if (options_.masks.needs_self_attention()) self = harvester.self_attention();
  for (size_t i = 0; i < pictures.size(); ++i) {
    const std::vector<std::string> name{prompts.names[i]};
    sampler_.require_finite_of_unet(maps[i].unsqueeze(0), "attention maps", name);
    if (self[i].transition.defined())
      sampler_.require_finite_of_unet(self[i].transition.unsqueeze(0), "attention maps", name);
  }
  for (size_t i = 0; i < pictures.size(); ++i) {
    Harvested& picture = pictures[i];
    const text::Encoding& encoding = prompts.encodings[i];
    picture.sample.key = sample_key(begin + static_cast<int64_t>(i));
    for (text::Phrase& phrase : picture.sample.captions.front().phrases)
      phrase.tokens = text::tokens_in(phrase.span, encoding.spans);
    if (encoding.cut > 0) warn_of_cut(picture.sample, encoding);
    picture.provenance.seed = seed(begin + static_cast<int64_t>(i));
    picture.provenance.model_digest = pipeline_.digest();
    picture.provenance.token_texts = encoding.pieces;
    picture.provenance.token_spans = encoding.spans;
    picture.maps = {maps[i], self[i]};
  }
}

void ModelSource::warn_of_cut(const data::Sample& sample, const text::Encoding& encoding) const {
  if (std::exchange(has_warned_, true)) return;
  std::vector<std::string> lost;
  for (const text::Phrase& phrase : sample.phrases()) {
    if (phrase.tokens.empty()) lost.push_back("'" + phrase.text + "'");
  }
  log::warning("the caption of {} is cut, {} of its tokens do not fit: {} (said once; such phrases have no tokens)",
               sample.key, encoding.cut, lost.empty() ? "no phrase is lost" : listed(lost) + " get no mask");
}

}  // namespace freeatm::diffusion
