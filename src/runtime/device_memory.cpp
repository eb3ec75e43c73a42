// SPDX-License-Identifier: Apache-2.0
#include "freeatm/runtime/device_memory.h"

#include <c10/core/CachingDeviceAllocator.h>
#include <c10/core/impl/VirtualGuardImpl.h>

namespace freeatm::runtime {
namespace {

// "cuda" is the one that is current.
c10::DeviceIndex index_of(at::Device device) {
  return device.has_index() ? device.index() : c10::impl::VirtualGuardImpl(device.type()).getDevice().index();
}

}  // namespace

void wait_for(at::Device device) {
  if (!device.is_cpu()) c10::impl::VirtualGuardImpl(device.type()).synchronizeDevice(index_of(device));
}

DeviceMemory memory_of(at::Device gpu) {
  auto* allocator = c10::getDeviceAllocator(gpu.type());
  const auto reserved = allocator->getDeviceStats(index_of(gpu)).reserved_bytes[0];  // [0]: of small and large blocks
  const auto [free, total] = allocator->getMemoryInfo(index_of(gpu));
  return {reserved.peak, reserved.current + static_cast<int64_t>(free)};
}

}  // namespace freeatm::runtime
