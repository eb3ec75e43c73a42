// SPDX-License-Identifier: Apache-2.0
// Where ranks meet, as those who start them say it.
#pragma once
#include <cstdint>
#include <optional>
#include <string>

#include "freeatm/runtime/rank.h"

namespace freeatm::runtime {

struct Rendezvous {
  Rank rank;
  int64_t local_rank = 0;  // among those of this machine: which device is its own
  std::string host = "127.0.0.1";
  uint16_t port = 0;
  bool is_host = false;    // this rank keeps the store; else somebody else does
  std::string attempt;     // which start of these ranks it is, where they are started anew after a failure
  std::string started_by;  // "torchrun", "srun": for messages
};

/// What the environment says, or nothing for a process alone:
///   torchrun and its kind: RANK, WORLD_SIZE, LOCAL_RANK, MASTER_ADDR, MASTER_PORT, TORCHELASTIC_USE_AGENT_STORE,
///   TORCHELASTIC_RESTART_COUNT
///   srun: SLURM_PROCID, SLURM_STEP_NUM_TASKS, SLURM_LOCALID, SLURM_STEP_NODELIST, SLURM_JOB_ID; MASTER_ADDR and
///   MASTER_PORT where they are set
/// Throws UserError on a variable that is missing or no number.
std::optional<Rendezvous> find_rendezvous();

/// The first host of a list as Slurm writes it: "node[07-09,12],head" -> "node07".
std::string first_host(const std::string& nodes);

}  // namespace freeatm::runtime
