// SPDX-License-Identifier: Apache-2.0
// Averages of weights, and what is done now and then.
#include <algorithm>
#include <fstream>
#include <limits>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "freeatm/training/ema.h"
#include "freeatm/training/periodic_hook.h"
#include "freeatm/training/timing.h"

#include "testing.h"
#include "toy.h"

namespace freeatm::training {
namespace {

using namespace testing;  // train_toy and its parts

StepReport report_of(int64_t step, const Losses& losses, const data::Batch& batch) {
  return {{.epoch = 0, .step_in_epoch = step, .step = step}, 0.1, losses, batch};
}

TEST(EmaHook, FollowsTheFormula) {
  const Losses losses;
  const data::Batch batch;
  at::Tensor weight = at::zeros({2}, at::kDouble), average = at::zeros({2}, at::kDouble);
  EmaHook hook(Averages({{"w", weight}}, {{"w", average}}), 0.5);
  double expected = 0;
  for (int64_t step = 1; step <= 20; ++step) {
    weight.fill_(static_cast<double>(step * step));
    hook.after_step(report_of(step, losses, batch));
    const double keep = std::min(0.5, (1.0 + static_cast<double>(step)) / (10.0 + static_cast<double>(step)));
    expected = keep * expected + (1 - keep) * static_cast<double>(step * step);
    EXPECT_NEAR(average[1].item<double>(), expected, 1e-12);
  }
  EXPECT_EQ(weight[0].item<double>(), 400);
  EXPECT_NEAR(ema_decay(0.999, 1), 2.0 / 11, 1e-15);
  EXPECT_EQ(ema_decay(0.999, 1000000), 0.999);
}

TEST(PeriodicHook, ActsAtMultiplesAndOnceAtTheEnd) {
  const Losses losses;
  const data::Batch batch;
  for (const int64_t last : {6, 7}) {
    std::vector<int64_t> steps;
    PeriodicHook hook(3, [&](int64_t step) { steps.push_back(step); });
    for (int64_t step = 1; step <= last; ++step) hook.after_step(report_of(step, losses, batch));
    hook.at_end({.epoch = 1, .step_in_epoch = 0, .step = last});
    EXPECT_EQ(steps, (last == 6 ? std::vector<int64_t>{3, 6} : std::vector<int64_t>{3, 6, 7}));
  }
}

TEST(LogHook, LeavesOutWhatAStepHadNothingToSayAbout) {
  const TemporaryFolder folder;
  ToyRun run;
  run.options.epochs = 2;
  run.options.log_every = 1;
  train_toy(folder.path(), run);
  append_metrics(folder.path(), 10, {{"score", 0.5}});
  const auto lines = metrics_of(folder.path());
  EXPECT_EQ(lines.size(), 11u);
  EXPECT_EQ(std::ranges::count_if(lines, [](const auto& line) { return line.contains("first"); }), 2);  // once an epoch
  EXPECT_EQ(lines.back(), nlohmann::json({{"step", 10}, {"score", 0.5}}));
}

/// A loader that nobody starts: LogHook asks how long it was waited for.
struct IdleLoader {
  NoisePictures pictures;
  data::Loader loader{pictures,
                      [](data::Sample&&, RandomStream&, const data::BatchPlace&) { return data::View(); },
                      {.batch_size = 8, .workers = 1},
                      1};
};

Losses losses_with(double error, const std::vector<std::pair<std::string, double>>& observed) {
  Losses losses{.terms = {{"error", at::scalar_tensor(error)}}};
  for (const auto& [name, value] : observed) losses.observed.push_back({name, at::scalar_tensor(value)});
  return losses;
}

/// "a=2 b=15": what a line of metrics says of the losses, in its order.
std::string scalars_of(const std::string& line) {
  std::string out;
  const auto entry = nlohmann::ordered_json::parse(line);
  for (const auto& [name, value] : entry.items()) {
    const bool is_of_the_run =
        name == "step" || name == "epoch" || name == "lr" || name == "samples_per_second" || name == "wait_share";
    if (!is_of_the_run) out += format("{}{}={}", out.empty() ? "" : " ", name, value.get<double>());
  }
  return out;
}

TEST(LogHook, MeansEachNameOverTheStepsThatHadIt) {
  const TemporaryFolder folder;
  const IdleLoader idle;
  const data::Batch batch;
  LogHook hook(folder.path(), idle.loader, {4});
  hook.before_train({.steps_per_epoch = 100, .total_steps = 100}, {});
  int64_t step = 0;
  for (const auto& losses :
       {losses_with(1, {{"a", 1}, {"b", 10}}), losses_with(2, {{"b", 20}}), losses_with(3, {{"c", 7}, {"a", 3}}),
        losses_with(6, {}), losses_with(1, {{"c", 8}}), losses_with(1, {{"b", 4}}), losses_with(1, {{"a", 5}}),
        losses_with(1, {{"c", 9}, {"b", std::numeric_limits<double>::quiet_NaN()}})}) {
    hook.after_step(report_of(++step, losses, batch));
  }
  std::ifstream in(folder / "metrics.jsonl");
  std::vector<std::string> lines;
  for (std::string line; std::getline(in, line);) lines.push_back(scalars_of(line));
  EXPECT_EQ(lines, (std::vector<std::string>{"loss=3 error=3 a=2 b=15 c=7", "loss=1 error=1 a=5 b=4 c=8.5"}));
}

TEST(LogHook, NamesWhatTheDivergedStepHad) {
  const TemporaryFolder folder;
  const IdleLoader idle;
  const data::Batch batch;
  LogHook hook(folder.path(), idle.loader, {100});
  hook.before_train({.steps_per_epoch = 100, .total_steps = 100}, {});
  hook.after_step(report_of(1, losses_with(1, {{"a", 1}}), batch));
  hook.after_step(report_of(2, losses_with(std::numeric_limits<double>::infinity(), {{"b", 2}}), batch));
  hook.after_step(report_of(3, losses_with(1, {}), batch));
  try {
    hook.check();
    FAIL() << "nothing was said";
  } catch (const Diverged& error) {
    EXPECT_TRUE(contains(error.what(), "at step 2: learning rate 0.1, loss inf, error inf, b 2; ")) << error.what();
  }
}

Losses mean_of(const std::vector<Losses>& batches) { return means_of(sums_of(batches)); }

TEST(MeanOf, ObservedIsOverTheBatchesThatHaveIt) {
  const Losses mean =
      mean_of({losses_with(1, {{"a", 1}, {"b", 2}}), losses_with(3, {{"b", 4}}), losses_with(5, {{"c", 6}, {"a", 5}})});
  ASSERT_EQ(mean.terms.size(), 1u);
  EXPECT_EQ(mean.terms[0].value.item<double>(), 3);
  std::string observed;
  for (const auto& [name, value, count] : mean.observed) observed += format("{} {}, ", name, value.item<double>());
  EXPECT_EQ(observed, "a 3, b 3, c 6, ");
}

TEST(MeanOf, WeighsByTheCounts) {
  const auto counted = [](double value, int64_t count) {
    const Scalar scalar{"x", at::scalar_tensor(value), at::scalar_tensor(count, at::kLong)};
    return Losses{.terms = {{"plain", at::scalar_tensor(value)}, scalar}, .observed = {scalar}};
  };
  const Losses mean = mean_of({counted(1, 3), counted(5, 1), counted(std::nan(""), 0)});
  EXPECT_EQ(mean.terms[1].value.item<double>(), 2);
  EXPECT_EQ(mean.observed[0].value.item<double>(), 2);
  const Losses nothing = mean_of({counted(0, 0), counted(0, 0)});
  EXPECT_EQ(nothing.terms[1].value.item<double>(), 0);
  EXPECT_TRUE(std::isnan(nothing.observed[0].value.item<double>()));
  EXPECT_THROW(mean_of({counted(1, 3), {.terms = {{"plain", at::ones({})}, {"x", at::ones({})}}}}), InternalError);
}

TEST(ShareOfStep, IsByTheCountsWhereThereAreSome) {
  const Losses losses{
      .terms = {{"plain", at::scalar_tensor(8.0)}, {"x", at::scalar_tensor(3.0), at::scalar_tensor(2, at::kLong)}}};
  const StepTotals step{.counts = {{"x", 6}}, .batches = 2};
  EXPECT_EQ(share_of_step(losses, {{"x", 2}}, step).item<double>(), 8.0 / 2 + 3.0 * 2 / 6);
  EXPECT_EQ(share_of_step(losses, {}, {}).item<double>(), losses.total().item<double>());
  EXPECT_THROW(share_of_step(losses, {}, step), InternalError) << "counts() does not know x";
}

TEST(AppendMetrics, GoesOnWhereNothingCanBeWritten) {
  const TemporaryFolder folder;
  fs::create_directories(folder / "metrics.jsonl");  // in the way
  ::testing::internal::CaptureStderr();
  for (int64_t step = 1; step <= 3; ++step) append_metrics(folder.path(), step, {{"loss", 1}});
  const std::string said = ::testing::internal::GetCapturedStderr();
  EXPECT_EQ(said.find("cannot be written"), said.rfind("cannot be written")) << said;
}

fs::path latest_when_stopped_at(const fs::path& out, int64_t step, ToyRun run) {
  run.after_step = [step](const Position& position) {
    if (position.step == step) throw Stop{};
  };
  EXPECT_THROW(train_toy(out, run), Stop);
  return latest_checkpoint(out)->filename();
}

TEST(CheckpointHook, SavesWithinAnEpoch) {
  const TemporaryFolder folder;
  ToyRun run;
  run.options.checkpoint_minutes = 1e-9;
  EXPECT_EQ(latest_when_stopped_at(folder / "minutes", 4, run), "step_3");  // an epoch has five
  run.options.checkpoint_minutes = std::nullopt;
  run.options.checkpoint_steps = 2;
  EXPECT_EQ(latest_when_stopped_at(folder / "steps", 4, run), "step_2");
  EXPECT_EQ(latest_when_stopped_at(folder / "steps", 8, run), "step_6");
}

TEST(CheckpointHook, SavesAnEpochsEndBehindTheOtherHooks) {
  // A checkpoint that is due with the epoch's last step waits for after_epoch: nothing that is said there is lost.
  const TemporaryFolder folder;
  ToyRun run;
  run.options.epochs = 2;
  run.options.checkpoint_steps = 5;
  train_toy(folder.path(), run);
  const auto position = load_checkpoint(folder / "checkpoints" / "step_5").position;
  EXPECT_EQ(position, (Position{.epoch = 1, .step_in_epoch = 0, .step = 5}));
}

TEST(LogHook, SaysALineWhereACheckpointIsMade) {
  const TemporaryFolder folder;
  ToyRun run;
  run.options.epochs = 2;
  run.options.log_every = 100;
  run.options.checkpoint_steps = 2;
  train_toy(folder.path(), run);
  std::vector<int64_t> steps;
  for (const auto& line : metrics_of(folder.path())) steps.push_back(line["step"]);
  EXPECT_EQ(steps, (std::vector<int64_t>{2, 4, 5, 6, 8, 10}));

  run.options.checkpoint_steps = std::nullopt;
  run.options.checkpoint_minutes = 1e-9;  // a clock's do not change what is said
  train_toy(folder / "minutes", run);
  EXPECT_EQ(metrics_of(folder / "minutes").size(), 2u);
}

TEST(CheckpointHook, SavesNothingThatIsNotFinite) {
  const TemporaryFolder folder;
  PredictTheMean objective;
  const auto optimizer = make_optimizer({}, objective.parameter_groups());
  CheckpointHook hook(folder.path(), {objective, *optimizer}, {});
  hook.before_train({.steps_per_epoch = 5, .total_steps = 10}, {});
  hook.after_epoch({.epoch = 1, .step_in_epoch = 0, .step = 5});
  objective.parameters()[0].detach().view({-1})[7] = std::numeric_limits<float>::infinity();
  try {
    hook.after_epoch({.epoch = 2, .step_in_epoch = 0, .step = 10});
    FAIL() << "saved";
  } catch (const Diverged& error) {
    EXPECT_NE(std::string(error.what()).find("after step 10 the weights are no longer finite"), std::string::npos);
    EXPECT_NE(std::string(error.what()).find("checkpoints/step_5"), std::string::npos) << error.what();
  }
  EXPECT_EQ(latest_checkpoint(folder.path())->filename(), "step_5");
}

TEST(AveragedState, IsWhatIsTrainedWithItsStatistics) {
  PredictTheMean objective;
  objective.register_module("momentum", torch::nn::Linear(2, 2));
  for (at::Tensor& parameter : objective.named_children()["momentum"]->parameters()) parameter.requires_grad_(false);
  std::vector<std::string> names;
  for (const auto& [name, tensor] : averaged_state(objective)) names.push_back(name);
  EXPECT_EQ(names, (std::vector<std::string>{"backbone.bias", "backbone.weight", "norm.bias", "norm.running_mean",
                                             "norm.running_var", "norm.weight"}));
}

TEST(Ema, IsSavedRestoredAndWhatAReaderGets) {
  const TemporaryFolder folder;
  ToyRun run;
  run.options.epochs = 2;
  run.options.lr = 0.05;
  run.options.ema = 0.5;
  const auto objective = train_toy(folder / "run", run);
  const Checkpoint saved = load_checkpoint(*latest_checkpoint(folder / "run"));
  const auto read = load_checkpoint_model(*latest_checkpoint(folder / "run"));
  EXPECT_EQ(saved.averages.size(), 6u);
  EXPECT_EQ(read.size(), saved.model.size());
  for (const auto& [name, tensor] : saved.model) {
    const bool is_averaged = saved.averages.contains(name);
    EXPECT_EQ(read.at(name).equal(is_averaged ? saved.averages.at(name) : tensor), true) << name;
  }
  EXPECT_FALSE(read.at("backbone.weight").equal(saved.model.at("backbone.weight")));
  EXPECT_TRUE(objective->parameters()[0].equal(saved.averages.at("backbone.weight"))) << "as a reader gets it";

  latest_when_stopped_at(folder / "cut", 8, run);
  train_toy(folder / "cut", run);
  EXPECT_EQ(final_digest(folder / "cut"), final_digest(folder / "run"));
}

TEST(TimeStep, CountsWholeStepsAndLeavesTheWeightsAlone) {
  const NoisePictures pictures;
  const auto objective = std::make_shared<PredictTheMean>();
  data::Loader loader = objective_loader(objective, pictures, {.batch_size = 8, .workers = 1, .prefetch = 2}, 1);
  const auto optimizer = make_optimizer({}, objective->parameter_groups());
  const at::Tensor before = objective->parameters()[0].clone();
  const double seconds = time_step(*objective, loader, *optimizer, at::kCPU, 0.05);
  EXPECT_GT(seconds, 0);
  EXPECT_TRUE(objective->parameters()[0].equal(before));
}

}  // namespace
}  // namespace freeatm::training
