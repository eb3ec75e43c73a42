// SPDX-License-Identifier: Apache-2.0
#include "byte_pairs.h"

#include <functional>
#include <queue>
#include <tuple>

#include <nlohmann/json.hpp>

#include "freeatm/core/error.h"

#include "unicode.h"

namespace freeatm::text {
namespace {

uint64_t pair_key(int64_t left, int64_t right) {
  return static_cast<uint64_t>(left) << 32 | static_cast<uint64_t>(right);
}

}  // namespace

std::array<std::string, 256> byte_alphabet() {
  std::array<std::string, 256> out;
  char32_t next = 0x100;
  for (char32_t byte = 0; byte < 256; ++byte) {
    const bool printable = (byte >= 0x21 && byte <= 0x7E) || (byte >= 0xA1 && byte != 0xAD);
    append_utf8(printable ? byte : next++, out[byte]);
  }
  return out;
}

BytePairs::BytePairs(const std::string& where, const nlohmann::json& vocabulary) {
  if (!vocabulary.is_object() || vocabulary.empty()) {
    throw UserError(where, "", "is not an object of pieces and their ids");
  }
  pieces_.resize(vocabulary.size());
  std::vector<bool> taken(vocabulary.size());
  for (const auto& [piece, value] : vocabulary.items()) {
    const bool right = value.is_number_unsigned() && value.get<uint64_t>() < vocabulary.size();
    if (!right) throw UserError(where, piece, "{} is not an id in [0, {}]", value.dump(), vocabulary.size() - 1);
    const auto id = value.get<size_t>();
    if (taken[id]) throw UserError(where, piece, "{} is the id of '{}' too", id, pieces_[id]);
    taken[id] = true;
    pieces_[id] = piece;
    ids_.emplace(piece, id);
  }
  const auto alphabet = byte_alphabet();
  for (size_t byte = 0; byte < 256; ++byte) {
    byte_ids_[byte] = id(alphabet[byte]);
    last_byte_ids_[byte] = id(alphabet[byte] + kEndOfWord);
  }
}

void BytePairs::add_merge(const std::string& where, const std::string& left, const std::string& right) {
  for (const std::string& piece : {left, right, left + right}) {
    if (id(piece) == kUnknown) throw UserError(where, "", "'{}' is not in the vocabulary", piece);
  }
  merges_[pair_key(id(left), id(right))] = {next_rank_++, id(left + right)};
}

int64_t BytePairs::id(const std::string& piece) const {
  const auto found = ids_.find(piece);
  return found == ids_.end() ? kUnknown : found->second;
}

const BytePairs::Merge* BytePairs::find_merge(int64_t left, int64_t right) const {
  if (left == kUnknown || right == kUnknown) return nullptr;
  const auto found = merges_.find(pair_key(left, right));
  return found == merges_.end() ? nullptr : &found->second;
}

std::vector<BytePairs::Piece> BytePairs::split(std::string_view word) const {
  struct Symbol {
    int64_t id;
    size_t bytes;  // 0: merged into an earlier symbol
    int64_t previous, next;
  };
  const auto n = static_cast<int64_t>(word.size());
  std::vector<Symbol> symbols(word.size());
  for (int64_t i = 0; i < n; ++i) {
    const auto byte = static_cast<unsigned char>(word[i]);
    symbols[i] = {i + 1 == n ? last_byte_ids_[byte] : byte_ids_[byte], 1, i - 1, i + 1};
  }

  // The earliest learned pair first, the leftmost of equal ones; a candidate is stale once one of its halves has
  // changed.
  using Candidate = std::tuple<int64_t, int64_t, int64_t>;  // rank, position, the merged id
  std::priority_queue<Candidate, std::vector<Candidate>, std::greater<>> candidates;
  const auto propose = [&](int64_t left) {
    if (left < 0 || symbols[left].next >= n) return;
    const Merge* merge = find_merge(symbols[left].id, symbols[symbols[left].next].id);
    if (merge != nullptr) candidates.emplace(merge->rank, left, merge->id);
  };
  for (int64_t i = 0; i + 1 < n; ++i) propose(i);
  while (!candidates.empty()) {
    const auto [rank, position, merged] = candidates.top();
    candidates.pop();
    Symbol& left = symbols[position];
    if (left.bytes == 0 || left.next >= n) continue;
    Symbol& right = symbols[left.next];
    const Merge* merge = find_merge(left.id, right.id);
    if (merge == nullptr || merge->rank != rank) continue;
    left = {merged, left.bytes + right.bytes, left.previous, right.next};
    right.bytes = 0;
    if (left.next < n) symbols[left.next].previous = position;
    propose(left.previous);
    propose(position);
  }

  std::vector<Piece> out;
  for (int64_t i = 0; i < n; i = symbols[i].next) out.push_back({symbols[i].id, symbols[i].bytes});
  return out;
}

}  // namespace freeatm::text
