// SPDX-License-Identifier: Apache-2.0
#include "freeatm/data/shards.h"

#include <cstdlib>
#include <sys/resource.h>
#include <unistd.h>

#include <ATen/ATen.h>

#include "freeatm/data/dataset.h"
#include "freeatm/data/npy.h"

#include "samples.h"
#include "testing.h"

namespace freeatm::data {
namespace {

using testing::source_file;
using testing::TemporaryFolder;

Sample two_phrases() {
  Sample sample;
  sample.image = vision::Image(4, 6);
  for (size_t i = 0; i < sample.image.pixels.size(); ++i) sample.image.pixels[i] = static_cast<uint8_t>(i * 3);
  std::vector<uint8_t> dog(24), grass(24);
  dog[8] = dog[9] = grass[20] = 1;
  testing::add_region(sample, "dog", text::Role::kThing, dog).score = .5;
  testing::add_region(sample, "grass", text::Role::kStuff, grass);  // nobody said how sure it is
  testing::set_caption(sample, "a dog on the grass",
                       {{"dog", text::Role::kThing, {2, 5}, {1}}, {"grass", text::Role::kStuff, {13, 18}, {4}}});
  return sample;
}

void write_shard(const fs::path& path, int count) {
  ShardWriter writer(path);
  for (int i = 0; i < count; ++i) {
    const Sample sample = two_phrases();
    writer.add(
        "00000000" + std::to_string(i),
        {{"png", vision::encode_png(sample.image)},
         {"json",
          sample_json(sample, {.seed = i, .model_digest = "d", .token_texts = {"a</w>"}, .token_spans = {{0, 1}}})},
         {"maps.npy", npy_float16(at::arange(12).view({2, 2, 3}))}});
  }
  writer.commit();
}

TEST(Shards, ReadBackWhatWasWritten) {
  TemporaryFolder folder;
  write_shard(folder / "shard-000000.tar", 3);
  write_shard(folder / "shard-000001.tar", 2);
  const auto dataset = open_dataset({.root = folder.path().string()});
  ASSERT_EQ(dataset->size(), 5);
  RandomStream random(0, "test");
  const Sample sample = dataset->get(4, random), wanted = two_phrases();
  EXPECT_EQ(sample.key, "000000001");
  EXPECT_EQ(dataset->shard_sizes(), (std::vector<int64_t>{3, 2}));
  EXPECT_EQ(sample.image, wanted.image);
  EXPECT_EQ(sample.caption(), wanted.caption());
  ASSERT_EQ(sample.regions.size(), 2u);
  ASSERT_EQ(sample.captions.at(0).phrases.size(), 2u);
  EXPECT_EQ(sample.captions[0].phrases[0].span, (text::Span{2, 5}));
  EXPECT_EQ(sample.captions[0].phrases[1].tokens, (std::vector<int64_t>{4}));
  for (size_t i = 0; i < 2; ++i) {
    EXPECT_EQ(sample.regions[i].name, wanted.regions[i].name);
    EXPECT_EQ(sample.regions[i].role, wanted.regions[i].role);
    EXPECT_EQ(sample.regions[i].mask, wanted.regions[i].mask);
    EXPECT_EQ(sample.regions[i].score, wanted.regions[i].score);
    EXPECT_EQ(sample.regions[i].phrases, wanted.regions[i].phrases);
    EXPECT_FALSE(sample.regions[i].exact);
  }
}

TEST(Shards, HaveTheSameBytesForTheSameSamples) {
  TemporaryFolder folder;
  write_shard(folder / "a.tar", 3);
  write_shard(folder / "b.tar", 3);
  EXPECT_EQ(read_file(folder / "a.tar"), read_file(folder / "b.tar"));
}

TEST(Shards, ThatAreNotCommittedDoNotAppear) {
  TemporaryFolder folder;
  { ShardWriter(folder / "a.tar").add("0", {{"txt", "x"}}); }
  EXPECT_TRUE(fs::is_empty(folder.path()));
}

TEST(Shards, TruncatedOrForeignAreRefusedByName) {
  TemporaryFolder folder;
  write_shard(folder / "a.tar", 3);
  const std::string whole = read_file(folder / "a.tar");
  for (size_t size : {size_t{0}, size_t{100}, size_t{700}, size_t{2048}, whole.size() / 2}) {
    write_file(folder / "a.tar", whole.substr(0, size));
    EXPECT_USER_ERROR(open_shards(folder.path().string()), "a.tar");
  }
  write_file(folder / "a.tar", std::string(4096, 'x'));
  EXPECT_USER_ERROR(open_shards(folder.path().string()), "is not a tar file");
}

TEST(Shards, MayBeMoreThanTheFilesAProcessBeginsWith) {
  TemporaryFolder folder;
  for (int i = 0; i < 12; ++i) write_shard(folder / std::to_string(i).append(".tar"), 1);
  rlimit before{};
  ASSERT_EQ(::getrlimit(RLIMIT_NOFILE, &before), 0);
  const int next = ::dup(0);  // the lowest free number
  ::close(next);
  const rlimit few{static_cast<rlim_t>(next) + 5, before.rlim_max};
  ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &few), 0);
  EXPECT_EQ(open_shards(folder.path().string())->size(), 12);
  ::setrlimit(RLIMIT_NOFILE, &before);
}

TEST(Shards, AreReadToTheEndThoughSomebodyDeletesThem) {
  TemporaryFolder folder;
  write_shard(folder / "a.tar", 2);
  const auto dataset = open_shards(folder.path().string());
  fs::remove(folder / "a.tar");
  RandomStream random(0, "test");
  EXPECT_EQ(dataset->get(1, random).image, two_phrases().image);
}

TEST(Shards, CutOffWhileTheyAreReadAreAnErrorWithTheirName) {
  TemporaryFolder folder;
  write_shard(folder / "a.tar", 2);
  const auto dataset = open_shards(folder.path().string());
  fs::resize_file(folder / "a.tar", 1024);
  RandomStream random(0, "test");
  EXPECT_USER_ERROR(dataset->get(1, random), "a.tar");
}

TEST(Shards, ABrokenPictureIsAnErrorWithItsName) {
  TemporaryFolder folder;
  ShardWriter writer(folder / "a.tar");
  writer.add("7", {{"png", vision::encode_png(two_phrases().image).substr(0, 40)}});
  writer.commit();
  const auto dataset = open_shards(folder.path().string());
  RandomStream random(0, "test");
  EXPECT_USER_ERROR(dataset->get(0, random), "a.tar/7.png");
}

TEST(Shards, HoldPicturesOfAnyKindAndTheFirstCounts) {
  TemporaryFolder folder;
  const auto file = [](const std::string& name) {
    return read_file(testing::test_file("vision/data/pictures/" + name));
  };
  ShardWriter writer(folder / "a.tar");
  writer.add("0", {{"bmp", file("rgb.bmp")}});
  writer.add("1", {{"tif", file("orientation_6.tif")}, {"png", file("rgb_tiny_interlaced.png")}});
  writer.commit();
  const auto dataset = open_shards(folder.path().string());
  RandomStream random(0, "test");
  EXPECT_EQ(dataset->get(0, random).image.width, 26);
  EXPECT_EQ(dataset->get(1, random).image.height, 26);  // turned
}

TEST(Shards, AMaskOfAnotherSizeThanThePictureIsAnErrorWithItsName) {
  TemporaryFolder folder;
  ShardWriter writer(folder / "a.tar");
  const char* json = R"({"caption": "a dog", "phrases": [{"text": "dog", "role": "thing", "span": [2, 5],
                         "segmentation": {"size": [2, 3], "counts": "6"}}]})";
  writer.add("7", {{"png", vision::encode_png(vision::Image(4, 4))}, {"json", json}});
  writer.commit();
  const auto dataset = open_shards(folder.path().string());
  RandomStream random(0, "test");
  EXPECT_USER_ERROR(dataset->get(0, random), "a.tar/7.json: dog: a mask of 3x2 for a picture of 4x4");
}

TEST(Shards, AreReadByWebDatasetAndPycocotools) {
  const std::string python = source_file(".deps/judges/bin/python");
  if (!fs::exists(python)) GTEST_SKIP() << "no .deps/judges: run scripts/setup.sh";
  TemporaryFolder folder;
  write_shard(folder / "shard-000000.tar", 3);
  const std::string command =
      python + " " + source_file("tests/data/read_shard.py") + " " + (folder / "shard-000000.tar").string();
  EXPECT_EQ(std::system(command.c_str()), 0);
}

TEST(OpenDataset, SaysWhatAFolderLacks) {
  TemporaryFolder folder;
  EXPECT_USER_ERROR(open_dataset({.root = (folder / "none").string()}), "data.root: no such folder");
  EXPECT_USER_ERROR(open_dataset({.root = folder.path().string()}), "is no dataset");
  EXPECT_USER_ERROR(open_shards(folder.path().string()), "holds no shards");
}

}  // namespace
}  // namespace freeatm::data
