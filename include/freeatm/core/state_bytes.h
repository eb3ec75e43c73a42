// SPDX-License-Identifier: Apache-2.0
// Values as bytes, for another process of the same program.
#pragma once
#include <cstdint>
#include <cstring>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "freeatm/core/error.h"

namespace freeatm {

/// One function says both ways what an object consists of: `bytes(x)` puts x behind what is there, or takes it.
class StateBytes {
 public:
  /// Puts.
  StateBytes() = default;
  /// Takes, in the same order.
  explicit StateBytes(std::string bytes) : bytes_(std::move(bytes)), is_taking_(true) {}

  bool is_taking() const { return is_taking_; }
  std::string text() && { return std::move(bytes_); }

  template <class T>
  requires std::is_trivially_copyable_v<T>
  void operator()(T& value) { raw(&value, sizeof(T)); }
  void operator()(std::string& text) {
    text.resize(size_of(text.size()));
    raw(text.data(), text.size());
  }
  template <class T>
  void operator()(std::vector<T>& values) {
    values.resize(size_of(values.size()));
    if constexpr (std::is_trivially_copyable_v<T>) {
      raw(values.data(), values.size() * sizeof(T));
    } else {
      for (T& value : values) (*this)(value);
    }
  }
  /// What has a member `bytes`.
  template <class T>
  requires requires(T& value, StateBytes& bytes) { value.bytes(bytes); }
  void operator()(T& value) { value.bytes(*this); }

  void raw(void* at, size_t size) {
    if (!is_taking_) {
      bytes_.append(static_cast<const char*>(at), size);
      return;
    }
    FREEATM_CHECK(size <= bytes_.size() - taken_, "{} bytes are wanted of {}", size, bytes_.size() - taken_);
    if (size > 0) std::memcpy(at, bytes_.data() + taken_, size);
    taken_ += size;
  }

 private:
  size_t size_of(uint64_t size) {
    (*this)(size);
    return size;
  }

  std::string bytes_;
  bool is_taking_ = false;
  size_t taken_ = 0;
};

}  // namespace freeatm
