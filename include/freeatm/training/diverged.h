// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <stdexcept>

namespace freeatm::training {

/// A loss or a weight became NaN or infinite: what() says when, what, and what to go back to.
struct Diverged : std::runtime_error {
  using std::runtime_error::runtime_error;
};

}  // namespace freeatm::training
