// SPDX-License-Identifier: Apache-2.0
// The processes that train together. Each calls the same operations in the same order; a process alone is a world of
// one, in which all of them are nothing.
#pragma once
#include <cstdint>
#include <functional>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

#include <ATen/core/Tensor.h>

#include "freeatm/runtime/rank.h"
#include "freeatm/runtime/rendezvous.h"

namespace freeatm::runtime {

/// An operation that waited for another rank cannot end: that one has gone.
class RankLost : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

class Ranks {
 public:
  /// Alone.
  Ranks();
  /// Meets the others. Throws UserError where the place is taken, or where ranks are missing after a minute.
  ///   silence: seconds after which a rank that says nothing has gone, and the process ends
  Ranks(const Rendezvous& rendezvous, double silence);
  ~Ranks();
  Ranks(const Ranks&) = delete;
  Ranks& operator=(const Ranks&) = delete;

  Rank rank() const { return rank_; }
  bool is_alone() const { return rank_.world == 1; }
  bool is_first() const { return rank_.index == 0; }
  /// Ranks on this machine, this one among them, and which of them it is.
  int64_t on_this_machine() const;
  int64_t local_rank() const { return local_rank_; }

  /// The sum over the ranks, in place; the same bits on all of them.
  void sum(const at::Tensor& x);
  /// The same, begun: what is returned waits for it. A line of its own, so that it may run beside the others.
  std::function<void()> begin_sum(const at::Tensor& x);
  /// The same; only on rank `owner` is x the sum then, and undefined elsewhere.
  std::function<void()> begin_sum_at(const at::Tensor& x, int64_t owner);
  /// x of rank `owner`, in place.
  void take_from(int64_t owner, const at::Tensor& x);
  /// [n, ...] of each rank, of the same n -> [world * n, ...], in the order of the ranks.
  at::Tensor gather(const at::Tensor& x);
  /// The same of rows that differ in number.
  at::Tensor gather_rows(const at::Tensor& x);
  std::vector<std::string> gather(const std::string& text);

  /// Whether batch norms take the batches of all ranks as one.
  void norm_as_one(bool yes) { norms_as_one_ = yes; }
  bool norms_as_one() const { return norms_as_one_ && !is_alone(); }

  /// Seconds that this process has waited for others.
  double waited_seconds() const;

  /// While it lives, this process is expected to come to its next operation about as soon as it did before: one that
  /// hangs is then noticed, and not only one that is dead or stopped.
  class Step {
   public:
    explicit Step(Ranks& ranks);
    ~Step();
    Step(const Step&) = delete;
    Step& operator=(const Step&) = delete;

   private:
    Ranks& ranks_;
  };

  /// Whether no other rank has failed before this one; of one failure one rank speaks.
  bool fails_first(const std::string& why);
  /// Which rank an operation failed for, as far as the others can tell: "rank 1 (host, process 12) has gone". Takes
  /// some seconds.
  std::string who_has_gone();
  /// Waits until all ranks are here: no one leaves while another still needs it.
  void leave();

 private:
  struct State;
  Rank rank_;
  int64_t local_rank_ = 0;
  bool norms_as_one_ = true;
  std::unique_ptr<State> state_;
};

/// The ranks that this thread's work belongs to.
Ranks& ranks();

/// While it lives, ranks() are these, in this thread.
class RanksScope {
 public:
  explicit RanksScope(Ranks& ranks);
  ~RanksScope();
  RanksScope(const RanksScope&) = delete;
  RanksScope& operator=(const RanksScope&) = delete;

 private:
  Ranks* before_;
};

/// count / the mean of all ranks' counts: a mean over `count` things, multiplied by it and averaged over ranks(), is
/// the mean over all things. 1 where there are none at all.
double share_of_mean(int64_t count);

/// The rows of the ranks before this one, which has `rows`.
int64_t rows_before(int64_t rows);

/// `Ranks::gather` of ranks() with a gradient: what each rank's loss wants of a row comes back to the rank that has it,
/// summed. Every rank's loss must depend on what comes out, or the others' gradients wait for it.
at::Tensor gathered(const at::Tensor& x);
/// The same of rows that differ in number.
at::Tensor gathered_rows(const at::Tensor& x);

}  // namespace freeatm::runtime
