// SPDX-License-Identifier: Apache-2.0
#include "freeatm/training/checkpoint.h"

#include <fstream>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "freeatm/core/file_digest.h"

#include "testing.h"
#include "toy.h"

namespace freeatm::training {
namespace {

using namespace testing;

void save_toy(const fs::path& run, int64_t step, int64_t keep_last = 2) {
  save_checkpoint(
      run, {{.epoch = 1, .step_in_epoch = 2, .step = step}, {{"a", at::full({3}, step)}}, {{"m", at::zeros({})}}},
      keep_last);
}

TEST(Checkpoint, IsWhatARunGoesOnFrom) {
  const TemporaryFolder folder;
  EXPECT_FALSE(checkpoint_to_go_on_from(folder.path(), "auto"));
  EXPECT_USER_ERROR(checkpoint_to_go_on_from(folder.path(), "must"), "resume: must: there is no checkpoint");
  EXPECT_USER_ERROR(require_checkpoint(folder.path(), "checkpoint"), "checkpoint: has no checkpoint yet");
  save_toy(folder.path(), 7);
  fs::create_directories(folder.path() / "checkpoints" / ".step_9.1.part");
  write_file(folder.path() / "checkpoints" / ".step_9.1.part" / "model.safetensors", "half");
  write_file(folder.path() / "checkpoints" / ".latest.1.part", "step_");
  EXPECT_EQ(checkpoint_to_go_on_from(folder.path(), "must")->folder, folder.path() / "checkpoints" / "step_7");
  EXPECT_EQ(std::distance(fs::directory_iterator(folder.path() / "checkpoints"), {}), 2);  // step_7, latest
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
    ByteDigest digest;
    digest.add(bytes);
    EXPECT_EQ(entry, nlohmann::json({{"size", bytes.size()}, {"xxh3", hash_text(digest.value())}})) << name;
  }
}

TEST(Checkpoint, MayHaveTheDigestsOfBefore) {
  const TemporaryFolder folder;
  save_toy(folder.path(), 7);
  const fs::path step = *latest_checkpoint(folder.path());
  auto manifest = nlohmann::json::parse(read_file(step / "manifest.json"));
  const auto say = [&](const std::string& digest) {
    manifest["files"]["model.safetensors"].erase("xxh3");
    manifest["files"]["model.safetensors"]["fnv1a64"] = digest;
    write_file(step / "manifest.json", manifest.dump());
  };
  say("b18414cff53e878b");  // of these bytes, by the program of then
  EXPECT_EQ(load_checkpoint(step).position.step, 7);
  say("b18414cff53e878c");
  EXPECT_USER_ERROR(load_checkpoint(step), "does not have the digest in its manifest");
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

TEST(Checkpoint, OfWhichTheNewestIsDamagedIsTheOneBefore) {
  for (const char* part : {"model.safetensors", "optimizer.safetensors", "manifest.json"}) {
    const TemporaryFolder folder;
    save_toy(folder.path(), 7);
    save_toy(folder.path(), 9);
    const fs::path checkpoints = folder / "checkpoints", newest = checkpoints / "step_9";
    EXPECT_EQ(checkpoint_to_go_on_from(folder.path(), "auto")->folder, newest);
    write_file(newest / part, read_file(newest / part).substr(0, 20));
    ::testing::internal::CaptureStderr();
    EXPECT_EQ(require_checkpoint(folder.path(), "checkpoint").folder, checkpoints / "step_7");
    EXPECT_TRUE(fs::exists(newest)) << "who only reads changes nothing";
    EXPECT_EQ(checkpoint_to_go_on_from(folder.path(), "must")->folder, checkpoints / "step_7");
    EXPECT_EQ(latest_checkpoint(folder.path()), checkpoints / "step_7");
    const std::string said = ::testing::internal::GetCapturedStderr();
    EXPECT_TRUE(contains(said, part) && contains(said, "step_7 is taken")) << said;
    save_toy(folder.path(), 8);
    EXPECT_TRUE(fs::exists(checkpoints / "step_7") && fs::exists(checkpoints / "step_9.damaged")) << part;
    write_file(checkpoints / "step_8" / part, "");
    write_file(checkpoints / "step_7" / part, "");
    EXPECT_EQ(checkpoint_to_go_on_from(folder.path(), "auto")->folder, checkpoints / "step_8");
    EXPECT_ANY_THROW(load_checkpoint(checkpoints / "step_8"));
  }
}

TEST(Checkpoint, OfAnotherModelIsRefusedByName) {
  const TemporaryFolder folder;
  save_toy(folder.path(), 7);
  PredictTheMean objective;
  const auto optimizer = make_optimizer({}, objective.parameter_groups());
  EXPECT_USER_ERROR(restore({*latest_checkpoint(folder.path()), {}}, {objective, *optimizer}), "backbone.bias");
}

}  // namespace
}  // namespace freeatm::training
