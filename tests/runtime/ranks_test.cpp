// SPDX-License-Identifier: Apache-2.0
#include "freeatm/runtime/ranks.h"

#include <atomic>
#include <cstdlib>

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include "freeatm/core/error.h"
#include "freeatm/runtime/rendezvous.h"

#include "runtime/rank_operations.h"
#include "runtime/rank_threads.h"

namespace freeatm::runtime {
namespace {

using at::Tensor;
using testing::as_ranks;

Tensor numbers(std::vector<double> values) { return at::tensor(values, at::kDouble); }

TEST(Ranks, AloneEverythingIsNothing) {
  Ranks& alone = ranks();
  EXPECT_TRUE(alone.is_alone() && alone.is_first());
  const Tensor x = numbers({1, 2});
  alone.sum(x);
  alone.begin_sum(x)();
  alone.take_from(0, x);
  EXPECT_TRUE(at::equal(x, numbers({1, 2})));
  EXPECT_TRUE(alone.gather(x).is_same(x));
  EXPECT_TRUE(gathered(x).is_same(x));
  EXPECT_EQ(alone.gather("text"), std::vector<std::string>{"text"});
  EXPECT_EQ(share_of_mean(3), 1);
  alone.leave();
}

TEST(Ranks, SumAndGatherInTheOrderOfTheRanks) {
  as_ranks(3, [](Ranks& group) {
    EXPECT_EQ(group.on_this_machine(), 3);
    testing::expect_sums_and_gathers(group, at::kCPU);
    const std::string text(static_cast<size_t>(group.rank().index), 'x');
    EXPECT_EQ(group.gather(text), (std::vector<std::string>{"", "x", "xx"}));
    EXPECT_EQ(share_of_mean(group.rank().index), group.rank().index);  // 0, 1, 2 of a mean of 1
    EXPECT_EQ(rows_before(group.rank().index + 1), group.rank().index * (group.rank().index + 1) / 2);
  });
}

TEST(Ranks, GatheredRowsGetTheGradientOfEveryRanksLoss) {
  as_ranks(2, [](Ranks& group) {
    const int64_t index = group.rank().index;
    const Tensor x = at::full({index + 1, 1}, 1.0, at::kDouble).requires_grad_(true);  // 1 row, 2 rows
    const Tensor all = gathered_rows(x);                                               // [3, 1]
    (all * numbers({1, 10, 100}).unsqueeze(1) * static_cast<double>(index + 1)).sum().backward();
    const Tensor wanted = (index == 0 ? numbers({1}) : numbers({10, 100})).unsqueeze(1) * 3;
    EXPECT_TRUE(at::equal(x.grad(), wanted)) << x.grad();
  });
}

TEST(Ranks, OneFailureIsToldOnce) {
  std::atomic<int> first = 0;
  const auto fail = [&](Ranks& group) {
    first += group.fails_first("because");
    group.gather("all have asked");
  };
  EXPECT_THROW(as_ranks(3, fail), RankLost) << "who waits at the end hears of it";
  EXPECT_EQ(first, 1);
}

class Environment : public ::testing::Test {
 protected:
  static constexpr const char* kNames[] = {"RANK",
                                           "WORLD_SIZE",
                                           "LOCAL_RANK",
                                           "MASTER_ADDR",
                                           "MASTER_PORT",
                                           "TORCHELASTIC_USE_AGENT_STORE",
                                           "TORCHELASTIC_RESTART_COUNT",
                                           "SLURM_PROCID",
                                           "SLURM_STEP_NUM_TASKS",
                                           "SLURM_LOCALID",
                                           "SLURM_STEP_NODELIST",
                                           "SLURM_JOB_ID"};
  void SetUp() override { clear(); }
  void TearDown() override { clear(); }
  static void clear() {
    for (const char* name : kNames) ::unsetenv(name);
  }
  static void set(std::initializer_list<std::pair<const char*, const char*>> variables) {
    for (const auto& [name, value] : variables) ::setenv(name, value, 1);
  }
  static std::string refusal() {
    try {
      find_rendezvous();
    } catch (const UserError& error) {
      return error.what();
    }
    return "";
  }
};

TEST_F(Environment, OfNobodyIsAlone) {
  EXPECT_FALSE(find_rendezvous());
  set({{"SLURM_PROCID", "0"}, {"SLURM_JOB_ID", "7"}, {"SLURM_NTASKS", "8"}});  // a batch script, before srun
  EXPECT_FALSE(find_rendezvous());
  ::unsetenv("SLURM_NTASKS");
  set({{"RANK", "0"}, {"WORLD_SIZE", "1"}});
  EXPECT_FALSE(find_rendezvous());
}

TEST_F(Environment, OfTorchrun) {
  set({{"RANK", "3"}, {"WORLD_SIZE", "4"}, {"LOCAL_RANK", "1"}, {"MASTER_ADDR", "node"}, {"MASTER_PORT", "29500"}});
  const auto found = find_rendezvous();
  ASSERT_TRUE(found);
  EXPECT_EQ(found->rank.index, 3);
  EXPECT_EQ(found->rank.world, 4);
  EXPECT_EQ(found->local_rank, 1);
  EXPECT_EQ(found->host, "node");
  EXPECT_EQ(found->port, 29500);
  EXPECT_FALSE(found->is_host);
  set({{"RANK", "0"}});
  EXPECT_TRUE(find_rendezvous()->is_host);
  set({{"TORCHELASTIC_USE_AGENT_STORE", "True"}});
  EXPECT_FALSE(find_rendezvous()->is_host) << "torchrun's agent keeps the store";
}

TEST_F(Environment, OfSlurm) {
  set({{"SLURM_PROCID", "5"},
       {"SLURM_STEP_NUM_TASKS", "8"},
       {"SLURM_LOCALID", "1"},
       {"SLURM_STEP_NODELIST", "gpu[03-05,9]"},
       {"SLURM_JOB_ID", "41234"}});
  const auto found = find_rendezvous();
  ASSERT_TRUE(found);
  EXPECT_EQ(found->rank.index, 5);
  EXPECT_EQ(found->host, "gpu03");
  EXPECT_EQ(found->port, 15000 + 41234 % 20000);
  EXPECT_EQ(first_host("head,gpu[1-2]"), "head");
  EXPECT_EQ(first_host("gpu[1,7]"), "gpu1");
  EXPECT_EQ(first_host("gpu7"), "gpu7");
}

TEST_F(Environment, IsCheckedByName) {
  set({{"RANK", "4"}, {"WORLD_SIZE", "4"}});
  EXPECT_NE(refusal().find("RANK: '4' is no whole number from 0 to 3"), std::string::npos) << refusal();
  set({{"RANK", "1"}});
  EXPECT_NE(refusal().find("MASTER_ADDR: is not set"), std::string::npos) << refusal();
  set({{"MASTER_ADDR", "x"}, {"MASTER_PORT", "80000"}});
  EXPECT_NE(refusal().find("MASTER_PORT: '80000'"), std::string::npos) << refusal();
  set({{"WORLD_SIZE", "two"}});
  EXPECT_NE(refusal().find("WORLD_SIZE: 'two'"), std::string::npos) << refusal();
}

TEST(Rendezvous, APortInUseIsRefused) {
  MeetingPlace taken;
  const Rendezvous place{.rank = {0, 2}, .port = taken.port(), .is_host = true};
  EXPECT_THROW(Ranks(place, 60), UserError);
}

}  // namespace
}  // namespace freeatm::runtime
