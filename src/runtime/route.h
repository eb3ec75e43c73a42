// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cstdint>
#include <string>

namespace freeatm::runtime {

/// This machine's address as `host` sees it: the one that others reach who meet there. "" where GLOO_SOCKET_IFNAME says
/// which interface it is to be, or where the host cannot be found.
std::string address_towards(const std::string& host, uint16_t port);

}  // namespace freeatm::runtime
