// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cstdint>
#include <string>
#include <utility>

#include "freeatm/core/log.h"

namespace freeatm::data {

/// Captions of a file that are null or blank: passed over, and said once.
class PassedOver {
 public:
  explicit PassedOver(std::string path) : path_(std::move(path)) {}
  PassedOver(const PassedOver&) = delete;
  PassedOver& operator=(const PassedOver&) = delete;
  ~PassedOver() {
    if (count_ > 0)
      log::warning("{}: {} captions are null or blank and are passed over, first {}", path_, count_, first_);
  }

  void add(const std::string& where) {
    if (count_++ == 0) first_ = where;
  }

 private:
  std::string path_, first_;
  int64_t count_ = 0;
};

}  // namespace freeatm::data
