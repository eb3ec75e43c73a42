// SPDX-License-Identifier: Apache-2.0
#include "store.h"

#include <algorithm>
#include <unistd.h>

#include <torch/csrc/distributed/c10d/PrefixStore.hpp>
#include <torch/csrc/distributed/c10d/TCPStore.hpp>

#include "freeatm/core/error.h"

namespace freeatm::runtime {
namespace {

constexpr auto kMeeting = std::chrono::seconds(60);
const std::string kFailed = "failed";

std::string host_name() {
  char name[256] = {};
  ::gethostname(name, sizeof name - 1);
  return name;
}

void wait_for_all(const Store& store, const std::vector<std::string>& names) {
  try {
    store->wait(names, kMeeting);
  } catch (const std::exception&) {
    std::string missing;
    for (size_t rank = 0; rank < names.size(); ++rank) {
      if (!store->check({names[rank]})) missing += format("{}{}", missing.empty() ? "" : ", ", rank);
    }
    throw UserError("environment", "WORLD_SIZE", "{}: of these ranks, {} did not come within {} s", names.size(),
                    missing, kMeeting.count());
  }
}

}  // namespace

std::vector<std::string> keys(const std::string& prefix, int64_t world) {
  std::vector<std::string> out;
  for (int64_t rank = 0; rank < world; ++rank) out.push_back(prefix + std::to_string(rank));
  return out;
}

Store connect(const Rendezvous& at, bool is_host) {
  c10d::TCPStoreOptions options;
  options.port = at.port;
  options.isServer = is_host;
  options.waitWorkers = false;
  options.timeout = kMeeting;
  try {
    const auto store = c10::make_intrusive<c10d::TCPStore>(at.host, options);
    return c10::make_intrusive<c10d::PrefixStore>(store_prefix(at.attempt), store);
  } catch (const std::exception& error) {
    if (is_host)
      throw UserError("environment", "MASTER_PORT", "{}: the port cannot be had here: {}", at.port, first_line(error));
    throw UserError("environment", "MASTER_ADDR", "{}:{}: nobody answers there within {} s", at.host, at.port,
                    kMeeting.count());
  }
}

int64_t meet(const Store& store, const Rank& rank) {
  const std::string host = host_name(), own = std::to_string(rank.index);
  set_text(store, beat_key(rank.index), "");
  set_text(store, "host/" + own, host);
  set_text(store, "name/" + own, format("{}, process {}", host, ::getpid()));
  wait_for_all(store, keys("name/", rank.world));
  return std::ranges::count_if(keys("host/", rank.world),
                               [&](const std::string& key) { return text_in(store, key) == host; });
}

std::string text_in(const Store& store, const std::string& key) {
  const std::vector<uint8_t> bytes = store->get(key);
  return {bytes.begin(), bytes.end()};
}

void set_text(const Store& store, const std::string& key, const std::string& text) { store->set(key, text); }

bool tell_failure(const Store& store, const std::string& why) {
  const bool is_first = store->add(kFailed, 1) == 1;
  if (is_first) store->set(kFailed + "/why", why);
  return is_first;
}

bool has_failed(const Store& store) { return store->check({kFailed}); }

std::string first_line(const std::exception& error) {
  const std::string text = error.what();
  return text.substr(0, text.find('\n'));
}

}  // namespace freeatm::runtime
