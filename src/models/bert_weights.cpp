// SPDX-License-Identifier: Apache-2.0
#include "freeatm/models/bert_weights.h"

#include <algorithm>
#include <vector>

#include "freeatm/core/error.h"
#include "freeatm/core/log.h"
#include "freeatm/models/pretrained.h"
#include "freeatm/weights/load.h"
#include "freeatm/weights/name_map.h"

namespace freeatm::models {
namespace {

using weights::TensorMap;

constexpr const char *kPositionRows = "embeddings.position_embeddings.weight", *kCross = "crossattention.";
constexpr std::string_view kHead = "cls.";

// Old files; the decoder, which is the word embeddings and the bias again, as it is saved by some; and positions 0, 1,
// 2, ..., which are saved by others.
const weights::NameMap kBertNames{
    {{"^(module\\.)?bert\\.", ""}, {"LayerNorm\\.gamma$", "LayerNorm.weight"}, {"LayerNorm\\.beta$", "LayerNorm.bias"}},
    {"^cls\\.predictions\\.decoder\\.", "embeddings\\.position_ids$"}};

bool is_of_another_head(const std::string& name, bool words_wanted) {
  if (name.starts_with("pooler.")) return true;
  return name.starts_with(kHead) && !(words_wanted && name.starts_with("cls.predictions."));
}

bool has_cross_attention(const TensorMap& tensors) {
  return std::ranges::any_of(tensors, [](const auto& item) { return item.first.find(kCross) != std::string::npos; });
}

// All that is to be loaded: the model's tensors, and the head's as the file calls them.
TensorMap destinations(const BertImpl& model, const BertMaskedWordsImpl* head) {
  TensorMap out = weights::module_state(model);
  if (head == nullptr) return out;
  for (const auto& [name, tensor] : weights::module_state(*head)) out.emplace(std::string(kHead) + name, tensor);
  return out;
}

void cut_positions(int64_t max_length, TensorMap& file, const std::string& where) {
  const auto found = file.find(kPositionRows);
  if (found == file.end() || found->second.dim() != 2 || found->second.size(0) <= max_length) return;
  log::info("{}: the first {} of its {} positions are taken", where, max_length, found->second.size(0));
  found->second = found->second.narrow(0, 0, max_length);
}

}  // namespace

void load_bert(BertImpl& model, BertMaskedWordsImpl* head, const TensorMap& file, const std::string& where,
               const std::string& key) {
  TensorMap tensors = kBertNames.apply(file, where), wanted = destinations(model, head);
  std::vector<std::string> left_out;
  std::erase_if(tensors, [&](const auto& item) {
    const bool out = is_of_another_head(item.first, head != nullptr);
    if (out) left_out.push_back(item.first);
    return out;
  });
  cut_positions(model.options().max_length, tensors, where);
  const bool stays = has_cross_attention(wanted) && !has_cross_attention(tensors);
  if (stays) std::erase_if(wanted, [](const auto& item) { return item.first.find(kCross) != std::string::npos; });
  const std::vector<std::string> wrong = mismatches(wanted, tensors);
  if (!wrong.empty()) throw UserError(where, key, "holds another model's weights: {}", listed(wrong, "; "));
  weights::load_into(wanted, tensors);
  if (stays) log::info("{}: has no cross-attention; the model's starts as it was drawn", where);
  if (!left_out.empty()) log::info("{}: not wanted, left out: {}", where, listed(left_out, ", "));
}

}  // namespace freeatm::models
