// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <c10/core/Device.h>
#include <c10/core/ScalarType.h>

#include "freeatm/config/fields.h"
#include "freeatm/core/signals.h"
#include "freeatm/data/loader.h"
#include "freeatm/runtime/ranks.h"
#include "freeatm/training/checkpoint.h"
#include "freeatm/training/device_batches.h"
#include "freeatm/training/hook.h"
#include "freeatm/training/objective.h"
#include "freeatm/training/optimizer.h"
#include "freeatm/training/position.h"
#include "freeatm/training/schedule.h"

namespace freeatm::training {

struct TrainerOptions {
  std::optional<int64_t> epochs = 40;  // nothing: steps alone says how long the run is
  std::optional<int64_t> steps;        // the run is no longer than this, schedules included
  int64_t accumulate = 1;              // batches a step
  double lr = 1e-3;
  std::optional<int64_t> base_batch;  // lr is that of a step of so many samples, and grows with their number
  double min_lr = 0;
  std::string schedule = "cosine";  // "cosine" | "step" | "poly" | "constant"
  double warmup_epochs = 2;
  std::optional<int64_t> warmup_steps;       // instead of warmup_epochs
  std::vector<double> milestones;            // step: epochs
  std::vector<int64_t> milestone_steps;      // step: instead of milestones
  double gamma = 0.1;                        // step
  double power = 0.9;                        // poly
  std::optional<double> ema;                 // decay of the weights' averages
  int64_t log_every = 10;                    // steps a line of metrics.jsonl
  int64_t checkpoint_every = 1;              // epochs
  std::optional<int64_t> checkpoint_steps;   // within an epoch, too
  std::optional<double> checkpoint_minutes;  // also this long after the last one, within an epoch
  int64_t keep_last = 2;                     // checkpoints
  std::optional<int64_t> processes;          // ranks that the program starts on this machine
  double rank_silence = 25;                  // seconds
  std::string shard = "none";                // over ranks: "none" | "optimizer" | "gradients"
  bool sync_norm = true;                     // batch norms see the batches of all ranks
  std::optional<int64_t> profile;            // steps of a trace
  OptimizerOptions optimizer;
  void fields(config::Fields& f);

  /// epochs or steps must be set. Throws UserError where an epoch has too few batches for one step.
  RunLength length(int64_t batches_per_epoch) const;
  int64_t warmup(int64_t steps_per_epoch) const;  // steps
  ///   batch_size: samples a batch; a step has length.accumulate batches
  Schedule make_schedule(const RunLength& length, int64_t batch_size) const;
  CheckpointOptions checkpoints() const;
  /// Lines of metrics fall on log_every steps, and on checkpoints of checkpoint_steps: a run that goes on from one of
  /// these says what one that never stopped says.
  std::vector<int64_t> log_periods() const;
};

/// How the loop goes, but for what is trained.
struct Course {
  Schedule schedule;
  RunLength length;
  at::Device device = at::kCPU;
  at::ScalarType compute = at::kFloat;  // bf16: forward under autocast, sums of the loss and weights in fp32
  uint64_t seed = 0;                    // of LibTorch's own random numbers (dropout): a function of (seed, step)
};

class GradientBuckets;

/// The loop: batches of the loader, losses of the objective, steps of the optimiser, and the hooks after each of them.
/// Of several ranks (runtime::ranks()) each has its part of a step's batches, and all make the same step.
class Trainer {
 public:
  ///   loader: gives this rank's part of each batch
  Trainer(Objective& objective, data::Loader& loader, Optimizer& optimizer, Course course);
  ~Trainer();

  /// In the order in which they will be called.
  void add(std::unique_ptr<Hook> hook) { hooks_.push_back(std::move(hook)); }

  /// Trains to the end. Throws Interrupted after the step in which a signal came.
  void train(Position position = {});

 private:
  using Clock = std::chrono::steady_clock;
  struct StepDone;
  void train_epoch(Position& position);
  StepDone step(Position& position);
  void end_epoch(const Position& position);
  std::optional<Interrupted> call_all(const std::function<void(Hook&)>& call);
  std::vector<LoadedBatch> batches_of_step(const Position& position);
  Losses losses_of(data::Batch& batch);

  Objective& objective_;
  DeviceBatches batches_;
  Optimizer& optimizer_;
  Course course_;
  runtime::Ranks& ranks_;
  std::unique_ptr<GradientBuckets> buckets_;
  std::vector<std::unique_ptr<Hook>> hooks_;
  Clock::time_point begin_;
};

}  // namespace freeatm::training
