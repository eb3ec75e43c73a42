// SPDX-License-Identifier: Apache-2.0
#include "freeatm/runtime/autocast.h"

#include <ATen/autocast_mode.h>

namespace freeatm::runtime {

Autocast::Autocast(at::DeviceType device, at::ScalarType dtype) : device_(device), active_(dtype != at::kFloat) {
  if (!active_) return;
  was_enabled_ = at::autocast::is_autocast_enabled(device);
  old_dtype_ = at::autocast::get_autocast_dtype(device);
  at::autocast::set_autocast_dtype(device, dtype);
  at::autocast::set_autocast_enabled(device, true);
  at::autocast::increment_nesting();
}

Autocast::~Autocast() {
  if (!active_) return;
  if (at::autocast::decrement_nesting() == 0) at::autocast::clear_cache();
  at::autocast::set_autocast_enabled(device_, was_enabled_);
  at::autocast::set_autocast_dtype(device_, old_dtype_);
}

}  // namespace freeatm::runtime
