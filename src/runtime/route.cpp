// SPDX-License-Identifier: Apache-2.0
#include "route.h"

#include <cstdlib>
#include <memory>
#include <netdb.h>
#include <sys/socket.h>
#include <unistd.h>

namespace freeatm::runtime {

// Connecting a datagram's socket sends nothing: the kernel only chooses the address to send from.
std::string address_towards(const std::string& host, uint16_t port) {
  if (std::getenv("GLOO_SOCKET_IFNAME") != nullptr) return "";
  const addrinfo hints{.ai_socktype = SOCK_DGRAM};
  addrinfo* found = nullptr;
  if (::getaddrinfo(host.c_str(), std::to_string(port).c_str(), &hints, &found) != 0) return "";
  const std::unique_ptr<addrinfo, void (*)(addrinfo*)> owner(found, ::freeaddrinfo);
  for (const addrinfo* one = found; one != nullptr; one = one->ai_next) {
    const int socket = ::socket(one->ai_family, one->ai_socktype, one->ai_protocol);
    if (socket < 0) continue;
    sockaddr_storage own{};
    socklen_t size = sizeof own;
    char text[NI_MAXHOST] = {};
    const bool known =
        ::connect(socket, one->ai_addr, one->ai_addrlen) == 0 &&
        ::getsockname(socket, reinterpret_cast<sockaddr*>(&own), &size) == 0 &&
        ::getnameinfo(reinterpret_cast<sockaddr*>(&own), size, text, sizeof text, nullptr, 0, NI_NUMERICHOST) == 0;
    ::close(socket);
    if (known) return text;
  }
  return "";
}

}  // namespace freeatm::runtime
