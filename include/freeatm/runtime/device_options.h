// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <string>

#include <c10/core/Device.h>

#include "freeatm/config/fields.h"

namespace freeatm::runtime {

/// Where a command computes, and how a GPU computes what is fp32.
struct DeviceOptions {
  std::string device = "auto";
  bool tf32 = true;
  bool cudnn_benchmark = true;  // for inputs of few shapes; false where each batch may have another
  void fields(config::Fields& f);

  /// The device, as pick_device has it; the rest is settled for the whole process. A CPU takes no notice of it.
  at::Device pick() const;
};

}  // namespace freeatm::runtime
