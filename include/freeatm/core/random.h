// SPDX-License-Identifier: Apache-2.0
// Random numbers that are a function of what they are for, never of who drew before: no generator is shared.
#pragma once
#include <array>
#include <cstdint>
#include <string>
#include <string_view>

namespace freeatm {

/// Philox 4x32-10 (Salmon et al. 2011): the key is (seed, purpose), the counter (epoch, index, block).
/// The same four values give the same draws on every machine, thread and rank. Cheap to make and to copy.
class RandomStream {
 public:
  RandomStream(uint64_t seed, std::string_view purpose, uint64_t epoch = 0, uint64_t index = 0);

  /// An independent stream for a part of the work. It does not depend on what was drawn from this one.
  RandomStream fork(std::string_view purpose) const;
  /// This stream behind its next `words` words of 32 bits, at once however many: where a thread begins that draws a
  /// part of the same numbers. uniform takes two words, normal four.
  RandomStream behind(uint64_t words) const;

  uint32_t next_u32();
  uint64_t next_u64();
  double uniform();                            // [0, 1), 53 bits
  double uniform(double low, double high);     // [low, high)
  int64_t integer(int64_t count);              // [0, count), unbiased
  int64_t integer(int64_t low, int64_t high);  // [low, high), unbiased
  bool bernoulli(double probability);
  double normal(double mean = 0.0, double stddev = 1.0);

 private:
  RandomStream() = default;
  uint64_t key_ = 0;
  uint32_t epoch_ = 0;
  uint64_t index_ = 0;
  uint32_t block_ = 0;
  int used_ = 4;  // words of buffer_ already given out
  std::array<uint32_t, 4> buffer_{};
};

/// A permutation of 0 .. size-1 that is computed, not stored: a Feistel network with cycle walking.
class Permutation {
 public:
  Permutation(int64_t size, uint64_t seed, uint64_t epoch);
  int64_t operator[](int64_t position) const;

 private:
  uint64_t size_, key_;
  int half_bits_;
};

/// A well-mixed 64-bit hash of bytes (FNV-1a with a finaliser); stable across machines.
uint64_t stable_hash(std::string_view bytes, uint64_t seed = 0);

/// The same hash of bytes that come piece by piece.
class StreamHash {
 public:
  explicit StreamHash(uint64_t seed = 0);
  void add(std::string_view bytes);
  uint64_t value() const;

 private:
  uint64_t state_;
};

/// A hash as 16 hexadecimal digits: digests in files.
std::string hash_text(uint64_t hash);

}  // namespace freeatm
