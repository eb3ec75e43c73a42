// SPDX-License-Identifier: Apache-2.0
// The place where ranks leave each other texts.
#pragma once
#include <chrono>
#include <cstdint>
#include <exception>
#include <string>
#include <vector>

#include <c10/util/intrusive_ptr.h>
#include <torch/csrc/distributed/c10d/Store.hpp>

#include "freeatm/runtime/rank.h"
#include "freeatm/runtime/rendezvous.h"

namespace freeatm::runtime {

using Store = c10::intrusive_ptr<c10d::Store>;

constexpr auto kForever = std::chrono::hours(24 * 365);  // for what waits; who is too late is told by the heartbeat

/// Keys of one start of the ranks: a store may outlive it.
inline std::string store_prefix(const std::string& attempt) { return "freeatm/" + attempt; }
/// What a rank says once a second.
inline std::string beat_key(int64_t rank) { return "beat/" + std::to_string(rank); }
/// The same key of each rank.
std::vector<std::string> keys(const std::string& prefix, int64_t world);

/// A connection to the store, or the store itself.
Store connect(const Rendezvous& at, bool is_host);
/// Says who this is, and waits for the others. How many are on this machine.
int64_t meet(const Store& store, const Rank& rank);

std::string text_in(const Store& store, const std::string& key);
void set_text(const Store& store, const std::string& key, const std::string& text);

/// Writes why the ranks end, where nobody has yet. Whether this was the first to say so.
bool tell_failure(const Store& store, const std::string& why);
bool has_failed(const Store& store);

/// LibTorch says more than a person wants to know behind it.
std::string first_line(const std::exception& error);

}  // namespace freeatm::runtime
