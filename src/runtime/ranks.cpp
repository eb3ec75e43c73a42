// SPDX-License-Identifier: Apache-2.0
#include "freeatm/runtime/ranks.h"

#include <algorithm>
#include <chrono>
#include <thread>
#include <unistd.h>

#include <ATen/ATen.h>
// Gloo is in LibTorch; its headers are Debian's, and nothing of them is linked.
#define USE_DISTRIBUTED
#define USE_C10D_GLOO
#include <torch/csrc/distributed/c10d/PrefixStore.hpp>
#include <torch/csrc/distributed/c10d/ProcessGroupGloo.hpp>
#include <torch/csrc/distributed/c10d/TCPStore.hpp>

#include "freeatm/core/error.h"

#include "heartbeat.h"
#include "route.h"

namespace freeatm::runtime {
namespace {

using at::Tensor;
using Group = c10::intrusive_ptr<c10d::ProcessGroupGloo>;
using std::chrono::milliseconds;

constexpr auto kMeeting = std::chrono::seconds(60), kAnswer = std::chrono::seconds(10);
constexpr auto kForever = std::chrono::hours(24 * 365);  // who is too late is told by the heartbeat

std::vector<std::string> keys(const std::string& prefix, int64_t world) {
  std::vector<std::string> out;
  for (int64_t rank = 0; rank < world; ++rank) out.push_back(prefix + std::to_string(rank));
  return out;
}

std::string first_line(const std::exception& error) {
  const std::string text = error.what();
  return text.substr(0, text.find('\n'));
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

void set_text(const Store& store, const std::string& key, const std::string& text) { store->set(key, text); }

// Says who this is, and waits for the others.
void meet(const Store& store, const Rank& rank, const std::string& host) {
  set_text(store, Heartbeat::key(rank.index), "");
  set_text(store, "host/" + std::to_string(rank.index), host);
  set_text(store, "name/" + std::to_string(rank.index), format("{}, process {}", host, ::getpid()));
  const auto names = keys("name/", rank.world);
  try {
    store->wait(names, kMeeting);
  } catch (const std::exception&) {
    std::string missing;
    for (int64_t other = 0; other < rank.world; ++other) {
      if (!store->check({names[static_cast<size_t>(other)]}))
        missing += format("{}{}", missing.empty() ? "" : ", ", other);
    }
    throw UserError("environment", "WORLD_SIZE", "{}: of these ranks, {} did not come within {} s", rank.world, missing,
                    kMeeting.count());
  }
}

// A line of operations of its own: what is begun in one does not wait for another's.
Group make_group(const Store& store, const std::string& name, const Rank& rank, const std::string& address) {
  const auto options = c10d::ProcessGroupGloo::Options::create(kForever);
  options->devices.push_back(address.empty() ? c10d::ProcessGroupGloo::createDefaultDevice()
                                             : c10d::ProcessGroupGloo::createDeviceForHostname(address));
  return c10::make_intrusive<c10d::ProcessGroupGloo>(c10::make_intrusive<c10d::PrefixStore>(name, store),
                                                     static_cast<int>(rank.index), static_cast<int>(rank.world),
                                                     options);
}

std::string host_name() {
  char name[256] = {};
  ::gethostname(name, sizeof name - 1);
  return name;
}

// Gloo knows neither bool nor short.
Tensor sendable(const Tensor& x) {
  const Tensor whole = x.detach().contiguous();
  const bool is_known = x.scalar_type() != at::kBool && x.scalar_type() != at::kShort;
  return is_known ? whole : whole.view(at::kByte);
}

}  // namespace

struct Ranks::State {
  Store store;
  int64_t on_this_machine = 1;
  Group ordered, beside;
  std::unique_ptr<Heartbeat> heartbeat;
  double waited = 0;

  void wait(const c10::intrusive_ptr<c10d::Work>& work);
};

void Ranks::State::wait(const c10::intrusive_ptr<c10d::Work>& work) {
  const auto begin = std::chrono::steady_clock::now();
  heartbeat->begin_waiting();
  try {
    work->wait();
  } catch (const std::exception& error) {
    heartbeat->end_waiting();
    throw RankLost(first_line(error));
  }
  heartbeat->end_waiting();
  waited += std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
}

Ranks::Ranks() = default;

Ranks::Ranks(const Rendezvous& rendezvous, double silence)
    : rank_(rendezvous.rank), local_rank_(rendezvous.local_rank), state_(std::make_unique<State>()) {
  FREEATM_CHECK(rank_.world > 1, "one rank alone has nobody to meet");
  State& s = *state_;
  s.store = connect(rendezvous, rendezvous.is_host);
  const std::string host = host_name();
  meet(s.store, rank_, host);
  s.on_this_machine = std::ranges::count_if(keys("host/", rank_.world),
                                            [&](const std::string& key) { return text_in(s.store, key) == host; });
  const std::string address = address_towards(rendezvous.host, rendezvous.port);
  s.ordered = make_group(s.store, "ordered", rank_, address);
  s.beside = make_group(s.store, "beside", rank_, address);
  s.store->setTimeout(kAnswer);
  Store own = connect(rendezvous, /*is_host=*/false);
  own->setTimeout(kAnswer);
  s.heartbeat = std::make_unique<Heartbeat>(std::move(own), rank_, silence);
}

Ranks::~Ranks() = default;

int64_t Ranks::on_this_machine() const { return state_ ? state_->on_this_machine : 1; }
double Ranks::waited_seconds() const { return state_ ? state_->waited : 0; }

void Ranks::sum(const Tensor& x) {
  if (is_alone()) return;
  std::vector<Tensor> list{x.detach()};
  state_->wait(state_->ordered->allreduce(list));
}

std::function<void()> Ranks::begin_sum(const Tensor& x) {
  if (is_alone()) return [] {};
  std::vector<Tensor> list{x.detach()};
  return [this, work = state_->beside->allreduce(list)] { state_->wait(work); };
}

std::function<void()> Ranks::begin_sum_at(const Tensor& x, int64_t owner) {
  if (is_alone()) return [] {};
  std::vector<Tensor> list{x.detach()};
  c10d::ReduceOptions options;
  options.rootRank = static_cast<int>(owner);
  return [this, work = state_->beside->reduce(list, options)] { state_->wait(work); };
}

void Ranks::take_from(int64_t owner, const Tensor& x) {
  if (is_alone()) return;
  const Tensor sent = sendable(x);
  std::vector<Tensor> list{sent};
  c10d::BroadcastOptions options;
  options.rootRank = static_cast<int>(owner);
  state_->wait(state_->ordered->broadcast(list, options));
  if (owner != rank_.index && sent.data_ptr() != x.data_ptr()) x.detach().copy_(sent.view(x.scalar_type()));
}

Tensor Ranks::gather(const Tensor& x) {
  if (is_alone()) return x;
  Tensor sent = sendable(x);
  std::vector<int64_t> sizes = sent.sizes().vec();
  sizes[0] *= rank_.world;
  Tensor all = at::empty(sizes, sent.options());
  state_->wait(state_->ordered->_allgather_base(all, sent));
  return all.view(x.scalar_type());
}

Tensor Ranks::gather_rows(const Tensor& x) {
  if (is_alone()) return x;
  const Tensor counts = gather(at::full({1}, x.size(0), at::kLong));
  const int64_t most = counts.max().item<int64_t>();
  std::vector<int64_t> sizes = x.sizes().vec();
  sizes[0] = most;
  const Tensor padded = at::zeros(sizes, x.options());
  padded.narrow(0, 0, x.size(0)).copy_(x.detach());
  const Tensor all = gather(padded);
  std::vector<Tensor> parts;
  for (int64_t rank = 0; rank < rank_.world; ++rank)
    parts.push_back(all.narrow(0, rank * most, counts[rank].item<int64_t>()));
  return at::cat(parts);
}

std::vector<std::string> Ranks::gather(const std::string& text) {
  if (is_alone()) return {text};
  const Tensor bytes = at::empty({std::ssize(text)}, at::kByte);
  std::ranges::copy(text, bytes.data_ptr<uint8_t>());
  const Tensor counts = gather(at::full({1}, std::ssize(text), at::kLong)), all = gather_rows(bytes);
  std::vector<std::string> out;
  const auto* at = all.const_data_ptr<uint8_t>();
  for (int64_t rank = 0; rank < rank_.world; ++rank) {
    const auto size = counts[rank].item<int64_t>();
    out.emplace_back(at, at + size);
    at += size;
  }
  return out;
}

Ranks::Step::Step(Ranks& ranks) : ranks_(ranks) {
  if (ranks_.state_) ranks_.state_->heartbeat->begin_step();
}

Ranks::Step::~Step() {
  if (ranks_.state_) ranks_.state_->heartbeat->end_step();
}

bool Ranks::fails_first(const std::string& why) {
  if (is_alone()) return true;
  try {
    return tell_failure(state_->store, why);
  } catch (const std::exception&) {  // the store has gone with its process: nobody speaks for all
    return true;
  }
}

std::string Ranks::who_has_gone() {
  if (is_alone()) return "";
  try {
    const auto beats = [this] {
      std::vector<std::string> out;
      for (int64_t rank = 0; rank < rank_.world; ++rank) out.push_back(text_in(state_->store, Heartbeat::key(rank)));
      return out;
    };
    const auto before = beats();
    std::this_thread::sleep_for(std::chrono::seconds(3));
    const auto after = beats();
    for (int64_t rank = 0; rank < rank_.world; ++rank) {
      const auto place = static_cast<size_t>(rank);
      if (before[place] == after[place])
        return format("rank {} ({}) has gone", rank, text_in(state_->store, "name/" + std::to_string(rank)));
    }
    return "the connection to another rank is lost";
  } catch (const std::exception&) {
    return "the rank that kept the meeting place has gone";
  }
}

void Ranks::leave() {
  if (is_alone()) return;
  set_text(state_->store, "left/" + std::to_string(rank_.index), "");
  const auto all = keys("left/", rank_.world);
  // Rank 0 may still have much to do: its heartbeat says whether it does.
  for (bool are_here = false; !are_here; std::this_thread::sleep_for(milliseconds(are_here ? 0 : 50))) {
    if (has_failed(state_->store)) throw RankLost("another rank has failed");
    are_here = state_->store->check(all);
  }
  state_->heartbeat.reset();
  if (rank_.index != 0) return set_text(state_->store, "read/" + std::to_string(rank_.index), "");
  auto others = keys("read/", rank_.world);
  others.erase(others.begin());
  state_->store->wait(others, kAnswer);  // the store goes with this process
}

namespace {
thread_local Ranks* current = nullptr;
}

Ranks& ranks() {
  static Ranks alone;
  return current ? *current : alone;
}

RanksScope::RanksScope(Ranks& ranks) : before_(current) { current = &ranks; }
RanksScope::~RanksScope() { current = before_; }

}  // namespace freeatm::runtime
