// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <c10/core/DeviceType.h>
#include <c10/core/ScalarType.h>

namespace freeatm::runtime {

/// While it lives, LibTorch's autocast is on: matrix products and convolutions compute in `dtype`, losses in fp32. With
/// fp32 it does nothing. The casts of weights that it remembers die with it, for the optimiser then changes the weights
/// in place.
class Autocast {
 public:
  Autocast(at::DeviceType device, at::ScalarType dtype);
  ~Autocast();
  Autocast(const Autocast&) = delete;
  Autocast& operator=(const Autocast&) = delete;

 private:
  at::DeviceType device_;
  bool active_, was_enabled_ = false;
  at::ScalarType old_dtype_ = at::kFloat;
};

}  // namespace freeatm::runtime
