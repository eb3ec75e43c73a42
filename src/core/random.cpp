// SPDX-License-Identifier: Apache-2.0
#include "freeatm/core/random.h"

#include <cmath>
#include <cstdio>
#include <numbers>

#include "freeatm/core/error.h"

namespace freeatm {
namespace {

uint64_t mix(uint64_t x) {  // splitmix64's finaliser, Steele et al. 2014
  x = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9u;
  x = (x ^ (x >> 27)) * 0x94D049BB133111EBu;
  return x ^ (x >> 31);
}

std::array<uint32_t, 4> philox(std::array<uint32_t, 4> counter, uint64_t key) {
  uint32_t k0 = static_cast<uint32_t>(key), k1 = static_cast<uint32_t>(key >> 32);
  for (int round = 0; round < 10; ++round) {
    const uint64_t a = uint64_t{0xD2511F53u} * counter[0], b = uint64_t{0xCD9E8D57u} * counter[2];
    counter = {static_cast<uint32_t>(b >> 32) ^ counter[1] ^ k0, static_cast<uint32_t>(b),
               static_cast<uint32_t>(a >> 32) ^ counter[3] ^ k1, static_cast<uint32_t>(a)};
    k0 += 0x9E3779B9u;
    k1 += 0xBB67AE85u;
  }
  return counter;
}

}  // namespace

StreamHash::StreamHash(uint64_t seed) : state_(0xCBF29CE484222325u ^ mix(seed + 0x9E3779B97F4A7C15u)) {}

void StreamHash::add(std::string_view bytes) {
  uint64_t state = state_;
  for (unsigned char byte : bytes) state = (state ^ byte) * 0x100000001B3u;
  state_ = state;
}

uint64_t StreamHash::value() const { return mix(state_); }

uint64_t stable_hash(std::string_view bytes, uint64_t seed) {
  StreamHash hash(seed);
  hash.add(bytes);
  return hash.value();
}

std::string hash_text(uint64_t hash) {
  char text[17];
  std::snprintf(text, sizeof text, "%016llx", static_cast<unsigned long long>(hash));
  return text;
}

RandomStream::RandomStream(uint64_t seed, std::string_view purpose, uint64_t epoch, uint64_t index)
    : key_(stable_hash(purpose, seed)), epoch_(static_cast<uint32_t>(epoch)), index_(index) {}

RandomStream RandomStream::fork(std::string_view purpose) const {
  RandomStream child;
  child.key_ = stable_hash(purpose, key_);
  child.epoch_ = epoch_;
  child.index_ = index_;
  return child;
}

RandomStream RandomStream::behind(uint64_t words) const {
  RandomStream later = *this;
  const uint64_t word = uint64_t{4} * block_ - (4 - used_) + words;
  later.block_ = static_cast<uint32_t>(word / 4);
  later.used_ = 4;
  for (uint64_t i = 0; i < word % 4; ++i) later.next_u32();
  return later;
}

uint32_t RandomStream::next_u32() {
  if (used_ == 4) {
    buffer_ = philox({block_++, epoch_, static_cast<uint32_t>(index_), static_cast<uint32_t>(index_ >> 32)}, key_);
    used_ = 0;
  }
  return buffer_[used_++];
}

uint64_t RandomStream::next_u64() {
  const uint64_t high = next_u32();
  return high << 32 | next_u32();
}

double RandomStream::uniform() { return static_cast<double>(next_u64() >> 11) * 0x1.0p-53; }
double RandomStream::uniform(double low, double high) { return low + (high - low) * uniform(); }

int64_t RandomStream::integer(int64_t count) {
  FREEATM_CHECK(count > 0, "integer({}): nothing to draw from", count);
  const uint64_t n = static_cast<uint64_t>(count), limit = -n % n;  // draws below limit would favour small values
  for (;;) {
    const uint64_t draw = next_u64();
    if (draw >= limit) return static_cast<int64_t>(draw % n);
  }
}

int64_t RandomStream::integer(int64_t low, int64_t high) { return low + integer(high - low); }
bool RandomStream::bernoulli(double probability) { return uniform() < probability; }

double RandomStream::normal(double mean, double stddev) {  // Box-Muller; the second value is dropped: no state to carry
  const double radius = std::sqrt(-2 * std::log(1 - uniform()));
  return mean + stddev * radius * std::cos(2 * std::numbers::pi * uniform());
}

Permutation::Permutation(int64_t size, uint64_t seed, uint64_t epoch)
    : size_(static_cast<uint64_t>(size)), key_(stable_hash("permutation", seed ^ mix(epoch + 1))), half_bits_(1) {
  while ((uint64_t{1} << (2 * half_bits_)) < size_) ++half_bits_;
}

int64_t Permutation::operator[](int64_t position) const {
  const uint64_t mask = (uint64_t{1} << half_bits_) - 1;
  uint64_t value = static_cast<uint64_t>(position);
  do {  // a bijection of 4^half_bits values: walk until back inside
    uint64_t left = value >> half_bits_, right = value & mask;
    for (uint64_t round = 0; round < 6; ++round) {
      const uint64_t next = left ^ (mix(right + key_ + round * 0x9E3779B97F4A7C15u) & mask);
      left = right;
      right = next;
    }
    value = left << half_bits_ | right;
  } while (value >= size_);
  return static_cast<int64_t>(value);
}

}  // namespace freeatm
