// SPDX-License-Identifier: Apache-2.0
#include "freeatm/training/run_folder.h"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "freeatm/core/json.h"
#include "freeatm/core/version.h"
#include "freeatm/training/checkpoint.h"

#include "testing.h"
#include "toy.h"

namespace freeatm::training {
namespace {

using namespace testing;

config::Node options(double lr, const std::string& out) {
  return config::parse_yaml(format("out: {}\nseed: 1\ntrainer:\n  lr: {}\n", out, lr), "test.yaml");
}

void save_toy(const fs::path& run, int64_t step, int64_t keep_last = 2) {
  save_checkpoint(
      run, {{.epoch = 1, .step_in_epoch = 2, .step = step}, {{"a", at::full({3}, step)}}, {{"m", at::zeros({})}}},
      keep_last);
}

TEST(RunFolder, IsMadeOnceAndFoundAgain) {
  const TemporaryFolder folder;
  const fs::path out = folder / "run";
  EXPECT_FALSE(open_run_folder(out, options(0.1, "a"), "auto"));
  EXPECT_FALSE(open_run_folder(out, options(0.1, "b"), "auto"));  // begun, no checkpoint yet; moved elsewhere
  EXPECT_USER_ERROR(open_run_folder(out, options(0.1, "a"), "must"), "resume: must: there is no checkpoint");
  EXPECT_USER_ERROR(open_run_folder(folder / "other", options(0.1, "a"), "must"), "must: there is nothing to go on");
  EXPECT_FALSE(fs::exists(folder / "other"));
  save_toy(out, 7);
  EXPECT_EQ(open_run_folder(out, options(0.1, "a"), "must"), out / "checkpoints" / "step_7");
  EXPECT_EQ(run_config(out, "checkpoint").find_path("trainer.lr")->text(), "0.1");
}

TEST(RunFolder, RefusesAnotherRunsFolder) {
  const TemporaryFolder folder;
  open_run_folder(folder / "run", options(0.1, "a"), "auto");
  EXPECT_USER_ERROR(open_run_folder(folder / "run", options(0.2, "a"), "auto"), "trainer.lr: 0.1 there, 0.2 here");
  EXPECT_USER_ERROR(open_run_folder(folder / "run", options(0.1, "a"), "never"), "holds a run already");
  write_file(folder / "notes.txt", "mine");
  EXPECT_USER_ERROR(open_run_folder(folder.path(), options(0.1, "a"), "auto"), "neither empty nor a run folder");
  EXPECT_USER_ERROR(run_config(folder.path(), "checkpoint"), "checkpoint: is no run folder");
  EXPECT_USER_ERROR(require_checkpoint(folder / "run", "checkpoint"), "checkpoint: has no checkpoint yet");
}

TEST(RunFolder, GoesOnWithOtherWorkersAndCheckpoints) {
  const TemporaryFolder folder;
  const auto with = [](const std::string& more) { return config::parse_yaml("seed: 1\n" + more, "test.yaml"); };
  open_run_folder(folder / "run", with("loader: {workers: 1}\ntrainer: {keep_last: 2, lr: 1}\n"), "auto");
  open_run_folder(folder / "run", with("loader: {workers: 4}\ntrainer: {keep_last: 9, lr: 1}\n"), "auto");
}

TEST(RunFolder, NotesTheProgramsThatWorkedInIt) {
  const TemporaryFolder folder;
  const fs::path file = folder / "program.json";
  const auto claim = [&] {
    open_run_folder(folder.path(), options(0.1, "a"), "auto");
    return read_json(file);
  };
  nlohmann::json programs = claim();
  ASSERT_EQ(programs.size(), 1u);
  EXPECT_EQ(programs[0].at("version"), version());
  EXPECT_EQ(programs[0].at("commit"), commit());
  EXPECT_FALSE(programs[0].at("libtorch").get<std::string>().empty());
  EXPECT_EQ(claim(), programs) << "the same program is noted once";

  programs[0]["commit"] = "v0.0.9";
  write_file(file, programs.dump());
  programs = claim();
  ASSERT_EQ(programs.size(), 2u);
  EXPECT_EQ(programs[0].at("commit"), "v0.0.9");
  EXPECT_EQ(programs[1].at("commit"), commit());

  for (const std::string& damaged : {std::string("[{"), std::string("7"), std::string(1000, '[')}) {
    write_file(file, damaged);
    EXPECT_EQ(claim().size(), 1u) << damaged;
  }
}

TEST(RunFolder, IsReleasedUnlessSomethingCameOfIt) {
  const TemporaryFolder folder;
  open_run_folder(folder.path(), options(0.1, "a"), "auto");
  write_file(folder / "shard-000000.tar", "");
  release_folder(folder.path());
  EXPECT_USER_ERROR(open_run_folder(folder.path(), options(0.2, "a"), "auto"), "0.1 there, 0.2 here");
  fs::remove(folder / "shard-000000.tar");
  release_folder(folder.path());
  EXPECT_TRUE(fs::is_empty(folder.path()));
  EXPECT_FALSE(open_run_folder(folder.path(), options(0.2, "a"), "auto"));
}

// Another descriptor's lock is another process's, as far as the kernel is concerned.
TEST(RunFolder, BelongsToOneProcessAtATime) {
  const TemporaryFolder folder;
  const fs::path out = folder / "run";
  fs::create_directories(out);
  const int other = ::open(out.c_str(), O_RDONLY | O_DIRECTORY);
  ASSERT_EQ(::flock(other, LOCK_EX | LOCK_NB), 0);
  EXPECT_USER_ERROR(open_run_folder(out, options(0.1, "a"), "auto"), "out: another process is at work in it");
  EXPECT_FALSE(fs::exists(out / "config.yaml"));
  ::close(other);
  open_run_folder(out, options(0.1, "a"), "auto");
  open_run_folder(out, options(0.1, "a"), "auto");
  const int later = ::open(out.c_str(), O_RDONLY | O_DIRECTORY);
  EXPECT_NE(::flock(later, LOCK_EX | LOCK_NB), 0);
  ::close(later);
}

TEST(RunFolder, LosesWhatAKilledProcessLeftHalfWritten) {
  const TemporaryFolder folder;
  const fs::path out = folder / "run";
  fs::create_directories(out);
  write_file(out / ".config.yaml.1.part", "seed:");
  EXPECT_FALSE(open_run_folder(out, options(0.1, "a"), "auto"));  // killed before it had a config
  save_toy(out, 7);
  fs::create_directories(out / "checkpoints" / ".step_9.1.part");
  write_file(out / "checkpoints" / ".step_9.1.part" / "model.safetensors", "half");
  write_file(out / "checkpoints" / ".latest.1.part", "step_");
  EXPECT_EQ(open_run_folder(out, options(0.1, "a"), "auto"), out / "checkpoints" / "step_7");
  EXPECT_FALSE(fs::exists(out / ".config.yaml.1.part"));
  EXPECT_EQ(std::distance(fs::directory_iterator(out / "checkpoints"), {}), 2);  // step_7, latest
}

TEST(Checkpoint, GivesBackWhatWasSaved) {
  const TemporaryFolder folder;
  save_toy(folder.path(), 7);
  const Checkpoint loaded = load_checkpoint(*latest_checkpoint(folder.path()));
  EXPECT_EQ(loaded.position, (Position{.epoch = 1, .step_in_epoch = 2, .step = 7}));
  EXPECT_TRUE(loaded.model.at("a").equal(at::full({3}, 7)));
}

TEST(Checkpoint, HasTheDigestsOfItsFiles) {
  const TemporaryFolder folder;
  save_toy(folder.path(), 7);
  const fs::path step = *latest_checkpoint(folder.path());
  const auto files = nlohmann::json::parse(read_file(step / "manifest.json"))["files"];
  EXPECT_EQ(files.size(), 2u);
  for (const auto& [name, entry] : files.items()) {
    const std::string bytes = read_file(step / name);
    EXPECT_EQ(entry, nlohmann::json({{"size", bytes.size()}, {"fnv1a64", hash_text(stable_hash(bytes))}})) << name;
  }
  EXPECT_EQ(files["model.safetensors"]["fnv1a64"], "b18414cff53e878b");  // as checkpoints of before have it
}

/// Bytes that this process has asked the kernel to read.
int64_t bytes_read() {
  std::ifstream in("/proc/self/io");
  std::string name;
  int64_t count = -1;
  in >> name >> count;  // "rchar: 123"
  return count;
}

TEST(Checkpoint, IsNotReadToBeHashed) {
  if (bytes_read() < 0) GTEST_SKIP() << "no /proc/self/io";
  constexpr int64_t kValues = 1 << 20;
  const TemporaryFolder folder;
  const Checkpoint checkpoint{.model = {{"a", at::arange(kValues, at::kFloat)}}, .optimizer = {{"m", at::zeros({})}}};
  const int64_t before = bytes_read();
  save_checkpoint(folder.path(), checkpoint, 2);
  EXPECT_LT(bytes_read() - before, kValues);
  EXPECT_TRUE(load_checkpoint_model(*latest_checkpoint(folder.path())).at("a").equal(checkpoint.model.at("a")));
}

TEST(Checkpoint, KeepsTheLastOnes) {
  const TemporaryFolder folder;
  for (const int64_t step : {5, 10, 100, 20}) save_toy(folder.path(), step, 2);  // 20: begun anew from an older one
  EXPECT_EQ(*latest_checkpoint(folder.path()), folder / "checkpoints" / "step_20");
  EXPECT_FALSE(fs::exists(folder / "checkpoints" / "step_10"));
  EXPECT_TRUE(fs::exists(folder / "checkpoints" / "step_100"));
}

TEST(Checkpoint, NamesTheFileThatIsDamaged) {
  const TemporaryFolder folder;
  save_toy(folder.path(), 7);
  const fs::path step = *latest_checkpoint(folder.path()), model = step / "model.safetensors";
  const std::string bytes = read_file(model);
  write_file(model, bytes.substr(0, bytes.size() - 4));
  EXPECT_USER_ERROR(load_checkpoint(step), "model.safetensors: has");
  std::string changed = bytes;
  changed.back() ^= 1;
  write_file(model, changed);
  EXPECT_USER_ERROR(load_checkpoint_model(step), "model.safetensors: does not have the digest");
  write_file(model, bytes);
  fs::remove(step / "optimizer.safetensors");
  EXPECT_NO_THROW(load_checkpoint_model(step));
  EXPECT_USER_ERROR(load_checkpoint(step), "optimizer.safetensors: no such file");
  write_file(step / "manifest.json", "{\"step\": 7");
  EXPECT_USER_ERROR(load_checkpoint(step), "manifest.json: is no checkpoint's manifest");
  fs::remove_all(step);
  EXPECT_USER_ERROR(latest_checkpoint(folder.path()), "names 'step_7'");
}

TEST(Checkpoint, OfAnotherModelIsRefusedByName) {
  const TemporaryFolder folder;
  save_toy(folder.path(), 7);
  PredictTheMean objective;
  const auto optimizer = make_optimizer({}, objective.parameter_groups());
  EXPECT_USER_ERROR(restore(*latest_checkpoint(folder.path()), {objective, *optimizer}), "backbone.bias");
}

}  // namespace
}  // namespace freeatm::training
