// SPDX-License-Identifier: Apache-2.0
#include "freeatm/runtime/rendezvous.h"

#include <charconv>
#include <cstdlib>
#include <limits>

#include "freeatm/core/error.h"

namespace freeatm::runtime {
namespace {

std::string variable(const char* name) {
  const char* text = std::getenv(name);
  return text ? text : "";
}

std::string required(const char* name, const std::string& starter) {
  const std::string text = variable(name);
  if (text.empty()) throw UserError("environment", name, "is not set; {} sets it for each rank", starter);
  return text;
}

int64_t number(const char* name, const std::string& text, int64_t most) {
  int64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size() || value < 0 || value > most)
    throw UserError("environment", name, "'{}' is no whole number from 0 to {}", text, most);
  return value;
}

constexpr int64_t kMost = std::numeric_limits<int32_t>::max(), kMostPort = 65535;

Rank rank_of(const char* index, const char* world, const std::string& starter) {
  const int64_t size = number(world, required(world, starter), kMost);
  if (size == 0) throw UserError("environment", world, "0: there is at least one rank");
  return {number(index, required(index, starter), size - 1), size};
}

Rendezvous of_torchrun() {
  Rendezvous out{.rank = rank_of("RANK", "WORLD_SIZE", "torchrun"), .started_by = "torchrun"};
  const std::string local = variable("LOCAL_RANK");
  out.local_rank = local.empty() ? out.rank.index : number("LOCAL_RANK", local, out.rank.world - 1);
  if (out.rank.world == 1) return out;
  out.host = required("MASTER_ADDR", "torchrun");
  out.port = static_cast<uint16_t>(number("MASTER_PORT", required("MASTER_PORT", "torchrun"), kMostPort));
  out.is_host = out.rank.index == 0 && variable("TORCHELASTIC_USE_AGENT_STORE") != "True";
  out.attempt = variable("TORCHELASTIC_RESTART_COUNT");
  return out;
}

// Jobs that run at once on one machine meet at ports of their own.
constexpr int64_t kFirstSlurmPort = 15000, kSlurmPorts = 20000;

Rendezvous of_slurm() {
  Rendezvous out{.rank = rank_of("SLURM_PROCID", "SLURM_STEP_NUM_TASKS", "srun"), .started_by = "srun"};
  out.local_rank = number("SLURM_LOCALID", required("SLURM_LOCALID", "srun"), out.rank.world - 1);
  out.host = variable("MASTER_ADDR");
  if (out.host.empty()) out.host = first_host(required("SLURM_STEP_NODELIST", "srun"));
  const std::string port = variable("MASTER_PORT");
  const int64_t job = number("SLURM_JOB_ID", required("SLURM_JOB_ID", "srun"), std::numeric_limits<int64_t>::max());
  out.port = static_cast<uint16_t>(port.empty() ? kFirstSlurmPort + job % kSlurmPorts
                                                : number("MASTER_PORT", port, kMostPort));
  out.is_host = out.rank.index == 0;
  out.attempt = variable("SLURM_STEP_ID");
  return out;
}

}  // namespace

std::string first_host(const std::string& nodes) {
  const size_t bracket = nodes.find('['), comma = nodes.find(',');
  if (bracket == std::string::npos || comma < bracket) return nodes.substr(0, comma);
  const size_t end = nodes.find_first_of("-,]", bracket);
  return nodes.substr(0, bracket) + nodes.substr(bracket + 1, end - bracket - 1);
}

// A batch script has Slurm's variables without being a step of several tasks: SLURM_STEP_NUM_TASKS is srun's.
std::optional<Rendezvous> find_rendezvous() {
  std::optional<Rendezvous> found;
  if (!variable("RANK").empty() || !variable("WORLD_SIZE").empty())
    found = of_torchrun();
  else if (!variable("SLURM_STEP_NUM_TASKS").empty() && variable("SLURM_STEP_NUM_TASKS") != "1")
    found = of_slurm();
  if (found && found->rank.world == 1) found.reset();
  return found;
}

}  // namespace freeatm::runtime
