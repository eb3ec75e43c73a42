// SPDX-License-Identifier: Apache-2.0
#include "freeatm/runtime/meeting_place.h"

#include <torch/csrc/distributed/c10d/PrefixStore.hpp>
#include <torch/csrc/distributed/c10d/TCPStore.hpp>

#include "store.h"

namespace freeatm::runtime {

struct MeetingPlace::State {
  c10::intrusive_ptr<c10d::TCPStore> server;
  Store store;
};

MeetingPlace::MeetingPlace() : state_(std::make_unique<State>()) {
  c10d::TCPStoreOptions options;
  options.port = 0;  // any that is free
  options.isServer = true;
  options.waitWorkers = false;
  state_->server = c10::make_intrusive<c10d::TCPStore>(kHost, options);
  state_->store = c10::make_intrusive<c10d::PrefixStore>(store_prefix(""), state_->server);
}

MeetingPlace::~MeetingPlace() = default;

uint16_t MeetingPlace::port() const { return state_->server->getPort(); }

bool MeetingPlace::tell_failure(const std::string& why) { return runtime::tell_failure(state_->store, why); }

}  // namespace freeatm::runtime
