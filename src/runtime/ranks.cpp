// SPDX-License-Identifier: Apache-2.0
#include "freeatm/runtime/ranks.h"

#include <algorithm>
#include <chrono>
#include <optional>
#include <thread>

#include <ATen/ATen.h>

#include "freeatm/core/error.h"
#include "freeatm/core/log.h"

#include "heartbeat.h"
#include "lines.h"
#include "route.h"
#include "store.h"

namespace freeatm::runtime {
namespace {

using at::Tensor;
using Work = c10::intrusive_ptr<c10d::Work>;
using std::chrono::milliseconds;

constexpr auto kAnswer = std::chrono::seconds(10);

// Gloo knows neither bool nor short.
Tensor sendable(const Tensor& x) {
  const Tensor whole = x.detach().contiguous();
  const bool is_known = x.scalar_type() != at::kBool && x.scalar_type() != at::kShort;
  return is_known ? whole : whole.view(at::kByte);
}

}  // namespace

struct Ranks::State {
  Rendezvous rendezvous;
  Store store;
  int64_t on_this_machine = 1;
  Lines host;
  std::optional<Lines> gpus;  // made when it is first needed
  std::unique_ptr<Heartbeat> heartbeat;
  double waited = 0;

  const Lines& lines(const Tensor& x);
  Lines gpu_lines();
  Work started(const std::function<Work()>& operation) const;
  void wait(const Work& work);
  void run(const std::function<Work()>& operation) { wait(started(operation)); }
};

const Lines& Ranks::State::lines(const Tensor& x) {
  if (x.is_cpu()) return host;
  if (!gpus) gpus = gpu_lines();
  return *gpus;
}

// NCCL where every rank has it. They come here at the same operation, so they can ask each other.
Lines Ranks::State::gpu_lines() {
  const Nccl nccl;
  std::vector<Tensor> have{at::full({1}, int64_t{nccl.lack().empty()})};
  run([&] { return host.ordered->allreduce(have); });
  if (have[0].item<int64_t>() == rendezvous.rank.world) {
    const Store own = connect(rendezvous, /*is_host=*/false);
    own->setTimeout(kForever);
    return nccl.lines(own, rendezvous.rank);
  }
  if (!nccl.lack().empty())
    log::warning("what GPUs send each other goes through the host's memory (Gloo), NCCL is not to be had: {}",
                 nccl.lack());
  return host;
}

// NCCL may know already when an operation begins that another rank has gone.
Work Ranks::State::started(const std::function<Work()>& operation) const {
  try {
    return operation();
  } catch (const c10::DistError& error) {
    throw RankLost(first_line(error));
  }
}

void Ranks::State::wait(const Work& work) {
  const auto begin = std::chrono::steady_clock::now();
  heartbeat->begin_waiting();
  try {
    work->wait();  // over NCCL the device waits, and this thread goes on
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
  s.rendezvous = rendezvous;
  s.store = connect(rendezvous, rendezvous.is_host);
  s.on_this_machine = meet(s.store, rank_);
  const std::string address = address_towards(rendezvous.host, rendezvous.port);
  s.host = host_lines(s.store, rank_, address);
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
  state_->run([&] { return state_->lines(x).ordered->allreduce(list); });
}

std::function<void()> Ranks::begin_sum(const Tensor& x) {
  if (is_alone()) return [] {};
  std::vector<Tensor> list{x.detach()};
  const Work work = state_->started([&] { return state_->lines(x).beside->allreduce(list); });
  return [this, work] { state_->wait(work); };
}

std::function<void()> Ranks::begin_sum_at(const Tensor& x, int64_t owner) {
  if (is_alone()) return [] {};
  std::vector<Tensor> list{x.detach()};
  c10d::ReduceOptions options;
  options.rootRank = static_cast<int>(owner);
  const Work work = state_->started([&] { return state_->lines(x).beside->reduce(list, options); });
  return [this, work] { state_->wait(work); };
}

void Ranks::take_from(int64_t owner, const Tensor& x) {
  if (is_alone()) return;
  const Tensor sent = sendable(x);
  std::vector<Tensor> list{sent};
  c10d::BroadcastOptions options;
  options.rootRank = static_cast<int>(owner);
  state_->run([&] { return state_->lines(x).ordered->broadcast(list, options); });
  if (owner != rank_.index && sent.data_ptr() != x.data_ptr()) x.detach().copy_(sent.view(x.scalar_type()));
}

Tensor Ranks::gather(const Tensor& x) {
  if (is_alone()) return x;
  Tensor sent = sendable(x);
  std::vector<int64_t> sizes = sent.sizes().vec();
  sizes[0] *= rank_.world;
  Tensor all = at::empty(sizes, sent.options());
  state_->run([&] { return state_->lines(x).ordered->_allgather_base(all, sent); });
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
      for (int64_t rank = 0; rank < rank_.world; ++rank) out.push_back(text_in(state_->store, beat_key(rank)));
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
  if (state_->gpus) {
    for (const Group& group : {state_->gpus->ordered, state_->gpus->beside}) group->shutdown();
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
