// SPDX-License-Identifier: Apache-2.0
#include "freeatm/runs/identity.h"

#include <gtest/gtest.h>

#include "testing.h"

namespace freeatm::runs {
namespace {

using namespace testing;

class Identities : public ::testing::Test {
 protected:
  void SetUp() override {
    write("train/dog/a.png", "dog");
    write("train/cat/b.png", "cat");
    write("val/dog/c.png", "cod");
    write("annotations/instances_train.json", "{}");
    write("annotations/instances_val.json", "{}");
  }
  void write(const std::string& name, const std::string& bytes) const {
    fs::create_directories((root() / name).parent_path());
    write_file(root() / name, bytes);
  }
  fs::path root() const { return folder_ / "data"; }
  std::string train() const { return identity_of(root(), "train"); }

  TemporaryFolder folder_;
};

TEST_F(Identities, StayTheSameWhereDataIsMoved) {
  const std::string before = train();
  EXPECT_EQ(before.size(), 16u);
  fs::copy(root(), folder_ / "copy", fs::copy_options::recursive);
  EXPECT_EQ(identity_of(folder_ / "copy", "train"), before);
  fs::create_directory_symlink(root(), folder_ / "link");
  EXPECT_EQ(identity_of(folder_ / "link", "train"), before);
}

TEST_F(Identities, SeeNamesSizesContentsAndAnnotations) {
  const std::string before = train();
  write("train/dog/d.png", "new");
  EXPECT_NE(train(), before);
  fs::remove(root() / "train/dog/d.png");
  EXPECT_EQ(train(), before);
  write("train/dog/a.png", "god");
  EXPECT_NE(train(), before);
  write("train/dog/a.png", "dog");
  write("annotations/instances_train.json", "[]");
  EXPECT_NE(train(), before);
}

TEST_F(Identities, PassOverOtherSplitsNotesAndRuns) {
  const std::string before = train();
  write("val/dog/c.png", "else");
  write("annotations/instances_val.json", "[1]");
  write("train/.thumbnails/a.png", "small");
  write("train/run/config.yaml", "seed: 1");
  write("train/run/program.json", "[]");
  write("train/run/a.png", "drawn");
  EXPECT_EQ(train(), before);
  EXPECT_NE(identity_of(root()), before) << "without a split all counts";
}

TEST_F(Identities, OfShardsAreTheShardsAlone) {
  write("h/shard-000000.tar", "first");
  const std::string before = identity_of(root() / "h", "train");
  write("h/shard-000000.tar.index", "index");
  write("h/program.json", "[]");
  write("h/page.html", "<html>");
  EXPECT_EQ(identity_of(root() / "h"), before);
  write("h/shard-000001.tar", "second");
  EXPECT_NE(identity_of(root() / "h"), before);
}

TEST_F(Identities, OfARunIsItsNewestCheckpoints) {
  write("r/config.yaml", "seed: 1");
  write("r/checkpoints/step_1/manifest.json", "one");
  write("r/checkpoints/latest", "step_1\n");
  const std::string first = identity_of(root() / "r");
  EXPECT_EQ(identity_of(root() / "r" / "checkpoints" / "step_1"), first);
  write("r/metrics.jsonl", "{}");
  EXPECT_EQ(identity_of(root() / "r"), first);
  write("r/checkpoints/step_2/manifest.json", "two");
  write("r/checkpoints/latest", "step_2\n");
  EXPECT_NE(identity_of(root() / "r"), first);
}

TEST_F(Identities, OfAFileAreItsSizeAndPartsOfIt) {
  std::string bytes(1 << 20, 'x');
  write("w.safetensors", bytes);
  const std::string before = identity_of(root() / "w.safetensors");
  bytes.back() = 'y';
  write("w.safetensors", bytes);
  EXPECT_NE(identity_of(root() / "w.safetensors"), before);
  EXPECT_USER_ERROR(identity_of(root() / "none"), "none: cannot be read");
}

TEST(Identity, IsKeptAndComparedByWhatItSays) {
  const TemporaryFolder folder;
  const auto config = [](const std::string& yaml) { return config::parse_yaml(yaml, "test.yaml"); };
  const std::vector<std::string> free{"out"};
  const Identity one = make_identity(config("{out: a, seed: 1, data: {root: x}}"), free, {{"data.root", "d"}});
  EXPECT_EQ(one.config, make_identity(config("{out: b, seed: 1, data: {root: y}}"), free, {{"data.root", "d"}}).config);
  EXPECT_NE(one.config, make_identity(config("{out: a, seed: 2, data: {root: x}}"), free, {{"data.root", "d"}}).config);
  write_identity(folder.path(), one);
  const Identity read = read_identity(folder.path());
  EXPECT_EQ(first_difference(read, one), "");
  EXPECT_EQ(read.config, one.config);
  Identity other = one;
  other.inputs.push_back({"checkpoint", "w"});  // which nobody noted before
  EXPECT_EQ(first_difference(read, other), "");
  other.inputs.front().identity = "e";
  EXPECT_EQ(first_difference(read, other), "data.root: what lies there is not the same: d there, e here");
}

}  // namespace
}  // namespace freeatm::runs
