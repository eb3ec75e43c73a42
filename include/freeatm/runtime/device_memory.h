// SPDX-License-Identifier: Apache-2.0
// What a measurement asks of a device.
#pragma once
#include <cstdint>

#include <c10/core/Device.h>

namespace freeatm::runtime {

/// Returns when all that was asked of the device is done.
void wait_for(at::Device device);

/// Bytes: the most that this process has had of a GPU so far, and what it could have.
struct DeviceMemory {
  int64_t peak, available;
};
DeviceMemory memory_of(at::Device gpu);

}  // namespace freeatm::runtime
