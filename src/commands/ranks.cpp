// SPDX-License-Identifier: Apache-2.0
#include "ranks.h"

#include <algorithm>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <iterator>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

#include "freeatm/config/node.h"
#include "freeatm/core/error.h"
#include "freeatm/core/log_voice.h"
#include "freeatm/core/signals.h"
#include "freeatm/runs/child_process.h"
#include "freeatm/runs/exit_code.h"
#include "freeatm/runtime/meeting_place.h"
#include "freeatm/runtime/ranks.h"
#include "freeatm/runtime/threads.h"

namespace freeatm::commands {
namespace {

using Clock = std::chrono::steady_clock;

constexpr auto kGrace = std::chrono::seconds(10);  // for the others to end by themselves when one has failed

// This process's own words.
std::vector<std::string> own_arguments() {
  std::ifstream file("/proc/self/cmdline", std::ios::binary);
  const std::string text{std::istreambuf_iterator<char>(file), {}};
  std::vector<std::string> words;
  for (size_t begin = 0; begin < text.size();) {
    const size_t end = text.find('\0', begin);
    words.push_back(text.substr(begin, end - begin));
    begin = end == std::string::npos ? text.size() : end + 1;
  }
  return words;
}

std::vector<runs::ChildProcess> start(int64_t count, uint16_t port) {
  std::vector<runs::ChildProcess> children;
  for (int64_t rank = 0; rank < count; ++rank) {
    const std::string index = std::to_string(rank);
    children.emplace_back(runs::ChildOptions{.arguments = own_arguments(),
                                             .environment = {{"RANK", index},
                                                             {"LOCAL_RANK", index},
                                                             {"WORLD_SIZE", std::to_string(count)},
                                                             {"MASTER_ADDR", runtime::MeetingPlace::kHost},
                                                             {"MASTER_PORT", std::to_string(port)},
                                                             {"TORCHELASTIC_USE_AGENT_STORE", "True"},
                                                             {"TORCHELASTIC_RESTART_COUNT", ""}}});
  }
  return children;
}

// One that was killed could not say so.
void speak_for(int64_t rank, int code, runtime::MeetingPlace& place) {
  if (code <= runs::kSignalled) return;
  const int signal = code - runs::kSignalled;
  const std::string why = format(
      "rank {} was ended by signal {} ({}); the run goes on from its newest checkpoint when "
      "it is started again",
      rank, signal, ::strsignal(signal));
  if (place.tell_failure(why)) log::error("{}", why);
}

int start_ranks(int64_t count) {
  runtime::MeetingPlace place;
  std::vector<runs::ChildProcess> children = start(count, place.port());
  std::vector<std::optional<int>> codes(children.size());
  std::optional<int> failed;
  std::optional<Clock::time_point> deadline;
  bool told = false;
  for (int64_t running = count; running > 0; runs::pause_between_polls()) {
    const int signal = pending_signal();
    if (signal != 0 && !std::exchange(told, true)) {
      for (runs::ChildProcess& child : children) child.send(signal);
    }
    for (size_t i = 0; i < children.size(); ++i) {
      if (codes[i] || !(codes[i] = children[i].poll())) continue;
      --running;
      if (*codes[i] == runs::kDone || failed) continue;
      failed = codes[i];
      if (told) continue;  // who was asked to stop has all the time to save
      speak_for(static_cast<int64_t>(i), *codes[i], place);
      deadline = Clock::now() + kGrace;
    }
    if (!deadline || Clock::now() < *deadline) continue;
    for (runs::ChildProcess& child : children) child.send(SIGKILL);
  }
  return failed.value_or(runs::kDone);
}

/// work's code, or what it throws; for an operation that another rank's end has broken off, which rank that was, or
/// the signal that came here, too.
int work_with_others(runtime::Ranks& ranks, const std::function<int()>& work) {
  try {
    const int code = work();
    ranks.leave();
    return code;
  } catch (const runtime::RankLost& lost) {
    stop_if_signalled();
    throw std::runtime_error(format("{}; the run goes on from its newest checkpoint when it is started again ({})",
                                    ranks.who_has_gone(), lost.what()));
  }
}

// Of one failure one rank speaks, of a signal the first.
int do_as_rank(runtime::Ranks& ranks, const std::function<int()>& work) {
  const runtime::RanksScope scope(ranks);
  if (std::getenv("OMP_NUM_THREADS") == nullptr)
    runtime::set_threads(std::max<int64_t>(1, runtime::cores() / ranks.on_this_machine()));
  if (!ranks.is_first()) {
    log::set_level(log::Level::kError);  // of the config all would say the same
    log::set_name(format("rank {}", ranks.rank().index));
  }
  try {
    return work_with_others(ranks, work);
  } catch (const Interrupted&) {
    if (!ranks.is_first()) log::fall_silent();
    throw;
  } catch (const std::exception& error) {
    if (!ranks.fails_first(error.what())) log::fall_silent();
    throw;
  }
}

// The program and what it reads, a line each.
std::string made_from(const runs::Claim& claim) {
  const runs::Identity own = runs::make_identity(claim.config, claim.free_keys, claim.inputs);
  std::string text = "freeatm " + own.version + "\n";
  for (const runs::Input& input : own.inputs) text += input.key + ": " + input.identity + "\n";
  return text;
}

// "a there, b here" of the first line that is another, or "".
std::string first_other_line(const std::string& there, const std::string& here) {
  std::istringstream lines_there(there), lines_here(here);
  for (std::string x, y; std::getline(lines_there, x) && std::getline(lines_here, y);) {
    if (x != y) return format("'{}' there, '{}' here", x, y);
  }
  return "";
}

void require_agreement(const runs::Claim& claim) {
  if (runtime::ranks().is_alone()) return;
  std::vector<std::string> may_differ = claim.free_keys;
  for (const runs::Input& input : claim.inputs) may_differ.push_back(input.key);  // wherever each has it
  const auto made = runtime::ranks().gather(made_from(claim));
  const auto configs = runtime::ranks().gather(config::to_yaml(claim.config));
  for (size_t rank = 1; rank < made.size(); ++rank) {
    std::string difference = first_other_line(made[0], made[rank]);
    if (difference.empty()) {
      difference = runs::first_difference(config::parse_yaml(configs[0], "rank 0"),
                                          config::parse_yaml(configs[rank], format("rank {}", rank)), may_differ);
    }
    if (!difference.empty()) throw UserError("", "", "rank {} is at another work than rank 0: {}", rank, difference);
  }
}

}  // namespace

void RankOptions::fields(config::Fields& f, const std::string& shared) {
  f("processes", processes,
    format("processes (ranks) that are started here and share {}; null: this one alone", shared),
    config::free(config::between(1, 1024)));
  f("rank_silence", rank_silence, "seconds after which a rank that says nothing ends the others",
    config::free(config::at_least(5)));
}

std::string of_the_first(const std::string& text) { return runtime::ranks().gather(text).front(); }

int in_ranks(const RankOptions& options, const std::string& group, const std::function<int()>& work) {
  const auto rendezvous = runtime::find_rendezvous();
  const auto& processes = options.processes;
  if (!rendezvous) return processes && *processes > 1 ? start_ranks(*processes) : work();
  if (processes && *processes != rendezvous->rank.world) {
    throw UserError("", group + "processes", "{}, but {} has started {} ranks: leave it out", *processes,
                    rendezvous->started_by, rendezvous->rank.world);
  }
  runtime::Ranks ranks(*rendezvous, options.rank_silence);
  return do_as_rank(ranks, work);
}

std::unique_ptr<runs::RunFolder> claim_folder(const runs::Claim& claim) {
  require_agreement(claim);
  auto folder = runtime::ranks().is_first() ? std::make_unique<runs::RunFolder>(claim) : nullptr;
  runtime::ranks().gather("claimed");  // what a killed run left is gone before another rank writes
  return folder;
}

}  // namespace freeatm::commands
