// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include <nlohmann/json_fwd.hpp>

namespace freeatm::text {

inline constexpr const char* kEndOfWord = "</w>";

/// GPT-2's alphabet: printable Latin-1 characters stand for themselves, the other bytes for U+0100, U+0101, ... in
/// order.
std::array<std::string, 256> byte_alphabet();

/// Byte-pair encoding over bytes, each written as one printable character (Radford et al. 2019), a word's last one with
/// "</w>".
class BytePairs {
 public:
  struct Piece {
    int64_t id;    // kUnknown: the vocabulary lacks this byte
    size_t bytes;  // of the word
  };
  static constexpr int64_t kUnknown = -1;

  /// The pieces' ids must be 0 .. n-1. Throws UserError(where, piece, ...).
  ///   vocabulary: an object of pieces and ids; where: the file
  BytePairs(const std::string& where, const nlohmann::json& vocabulary);

  /// The pair is merged after all that were added before. Throws UserError(where, "", ...) where a piece is unknown.
  void add_merge(const std::string& where, const std::string& left, const std::string& right);

  /// One word's pieces. Time n log n in its bytes.
  std::vector<Piece> split(std::string_view word) const;

  int64_t id(const std::string& piece) const;  // kUnknown where there is none
  const std::string& piece(int64_t id) const { return pieces_[id]; }
  int64_t size() const { return static_cast<int64_t>(pieces_.size()); }

 private:
  struct Merge {
    int64_t rank, id;
  };
  const Merge* find_merge(int64_t left, int64_t right) const;

  std::unordered_map<std::string, int64_t> ids_;
  std::vector<std::string> pieces_;
  std::unordered_map<uint64_t, Merge> merges_;  // by left id * 2^32 + right id
  int64_t next_rank_ = 0;
  std::array<int64_t, 256> byte_ids_{}, last_byte_ids_{};  // of a byte inside, and at the end, of a word
};

}  // namespace freeatm::text
