// SPDX-License-Identifier: Apache-2.0
// Captions, shards and COCO's annotations of others, damaged at random. Pictures: vision/hostile_image_test.cpp.
#include <ATen/ATen.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "freeatm/data/captions.h"
#include "freeatm/data/dataset.h"
#include "freeatm/data/npy.h"
#include "freeatm/data/shards.h"

#include "damage.h"
#include "samples.h"
#include "testing.h"

namespace freeatm::data {
namespace {

using testing::TemporaryFolder;
using testing::try_damaged;
using testing::Verdicts;
using testing::with_wrong_values;
using testing::write_unsynced;

void expect_both(const Verdicts& verdicts, const char* name) {
  EXPECT_GT(verdicts.read, 20) << name;
  EXPECT_GT(verdicts.refused, 100) << name;
}

TEST(Mutation, Captions) {
  const TemporaryFolder folder;
  const std::string line =
      R"({"caption": "a dog on grass", "phrases": [{"text": "dog"}, {"span": [9, 14], "role": "stuff"}]})";
  const std::pair<const char*, std::string> files[] = {
      {"a.txt", "a dog\n\xc3\xa4 cat, and a fire truck\r\n\n"},
      {"a.jsonl", line + "\n" + line + "\n"},
      {"a.json", R"({"images": [], "annotations": [{"image_id": 1, "id": 1, "caption": "a dog"}, )" + line + "]}"}};
  for (const auto& [name, whole] : files) {
    const std::string path = folder / name;
    expect_both(try_damaged(whole, name, 2000,
                            [&](const std::string& bytes) {
                              write_unsynced(path, bytes);
                              for (const text::Caption& caption : read_captions(path))
                                EXPECT_FALSE(caption.text.empty());
                            }),
                name);
  }
}

/// Eight by six, with what a harvest of given pictures writes.
struct WholeSample {
  std::string png, json, npy;

  WholeSample() {
    Sample sample;
    sample.image = vision::Image(6, 8);
    std::vector<uint8_t> mask(48);
    mask[9] = mask[10] = mask[20] = 1;
    testing::add_region(sample, "dog", text::Role::kThing, mask).score = .5;
    testing::add_region(sample, "grass", text::Role::kStuff, mask).score = .25;
    for (Region& region : sample.regions) region.exact = region.mask;
    testing::set_caption(sample, "a dog on the grass",
                         {{"dog", text::Role::kThing, {2, 5}, {1}}, {"grass", text::Role::kStuff, {13, 18}, {4}}});
    png = vision::encode_png(sample.image);
    json = sample_json(sample, {.seed = 7,
                                .model_digest = "d",
                                .sampler = {{"scheduler", "ddim"}, {"steps", int64_t{25}}},
                                .token_texts = {"a</w>"},
                                .token_spans = {{0, 1}},
                                .source = "a"});
    npy = npy_float16(at::rand({5, 2, 3}));
  }
  void write(const fs::path& path) const {
    ShardWriter writer(path);
    for (const char* key : {"000000000", "000000001"})
      writer.add(key, {{"png", png}, {"json", json}, {"maps.npy", npy}});
    writer.commit();
  }
};

/// Everything that is ever read of a shard.
void use_shard(const fs::path& path) {
  const ShardReader reader(path);
  for (const IndexedSample& indexed : reader.samples()) {
    const Sample sample = reader.sample(indexed);
    EXPECT_EQ(sample.masks().count(), std::ssize(sample.regions));
    for (const Region& region : sample.regions)
      EXPECT_TRUE(!region.exact || region.exact->decode().size() == region.mask.decode().size());
    EXPECT_FALSE(with_phrases(reader.bytes(indexed, "json"), sample).empty());
    (void)read_npy(reader.bytes(indexed, "maps.npy"), indexed.key).to(at::kFloat).sum();
  }
}

TEST(Mutation, Shards) {
  const TemporaryFolder folder;
  const fs::path path = folder / "a.tar";
  const WholeSample whole;
  whole.write(path);
  expect_both(try_damaged(read_file(path), "tar", 4000,
                          [&](const std::string& bytes) {
                            write_unsynced(path, bytes);
                            use_shard(path);
                          }),
              "tar");
}

TEST(Mutation, DescriptionsOfSamples) {
  const TemporaryFolder folder;
  const fs::path path = folder / "a.tar";
  WholeSample sample;
  const std::string whole = sample.json;
  const auto use = [&](const std::string& bytes) {
    sample.json = bytes;
    fs::remove(path);
    sample.write(path);
    use_shard(path);
  };
  const Verdicts bytes = try_damaged(whole, "sample's json", 200, use),
                 values = try_damaged(whole, "sample's json", 200, use, with_wrong_values);
  EXPECT_GT(bytes.read, 0);
  EXPECT_GT(values.read, 20);
  EXPECT_GT(std::min(bytes.refused, values.refused), 50);
}

/// A folder in COCO's layout: run lengths as text and as numbers, a polygon, and phrases.
struct WholeCoco {
  TemporaryFolder folder;
  fs::path captions = folder / "annotations/captions_val.json", instances = folder / "annotations/instances_val.json";

  WholeCoco() {
    fs::create_directories(folder / "annotations");
    fs::create_directories(folder / "val");
    write_file(folder / "val/a.png", vision::encode_png(vision::Image(6, 8)));
    const std::string images = R"({"images": [{"id": 42, "file_name": "a.png", "width": 8, "height": 6}], )";
    write_file(captions, images + R"("annotations": [{"id": 1, "image_id": 42, "caption": "a dog on grass", "phrases": [
      {"text": "dog", "role": "thing", "span": [2, 5], "object_ids": [7, 8]},
      {"text": "grass", "role": "stuff", "span": [9, 14], "object_ids": []}]}]})");
    write_file(instances,
               images + R"("categories": [{"id": 18, "name": "dog"}, {"id": 3, "name": "car"}], "annotations": [
      {"id": 7, "image_id": 42, "category_id": 18, "segmentation": {"size": [6, 8], "counts": "62X1"}},
      {"id": 8, "image_id": 42, "category_id": 18, "segmentation": {"size": [6, 8], "counts": [6, 2, 40]}},
      {"id": 9, "image_id": 42, "category_id": 3, "segmentation": [[1, 1, 5.5, 1, 5, 4, 1, 4]]}]})");
  }

  void use() const {
    const auto dataset = open_coco(folder.path().string(), "val");
    RandomStream none(0, "none");
    for (int64_t i = 0; i < dataset->size(); ++i) EXPECT_EQ(dataset->get(i, none).image.height, 6);
  }
};

TEST(Mutation, CocoAnnotations) {
  const WholeCoco coco;
  for (const fs::path& path : {coco.captions, coco.instances}) {
    const std::string whole = read_file(path), name = path.filename();
    const auto use = [&](const std::string& bytes) {
      write_unsynced(path, bytes);
      coco.use();
    };
    const Verdicts bytes = try_damaged(whole, name, 2000, use),
                   values = try_damaged(whole, name, 2000, use, with_wrong_values);
    EXPECT_GT(bytes.read, 5) << name;
    EXPECT_GT(values.read, 100) << name;
    EXPECT_GT(std::min(bytes.refused, values.refused), 500) << name;
    write_file(path, whole);
  }
  coco.use();
}

// What chance does not make.
TEST(HostileJson, IsRefusedWhereverItStands) {
  const std::string deep(1'000'000, '[');
  const TemporaryFolder folder;
  const auto captions = [&](const std::string& name, const std::string& text) {
    write_unsynced(folder / name, text);
    return read_captions(folder / name);
  };
  EXPECT_USER_ERROR(captions("a.json", "{\"annotations\": " + deep),
                    "a.json: captions: is JSON that is nested more than");
  EXPECT_USER_ERROR(captions("a.jsonl", "{\"caption\": " + deep), "a.jsonl:1: captions: is JSON that is nested");
  WholeSample sample;
  sample.json = "{\"tokens\": " + deep + std::string(deep.size(), ']') + "}";
  sample.write(folder / "a.tar");
  EXPECT_USER_ERROR(use_shard(folder / "a.tar"), "000000000.json: is JSON that is nested");
  const WholeCoco coco;
  write_file(coco.instances, "{\"info\": " + deep);
  EXPECT_USER_ERROR(coco.use(), "nested more than 100 deep");
}

TEST(HostileJson, NumbersOutOfRangeAreNotRounded) {
  for (const auto& [right, wrong] :
       std::vector<std::pair<std::string, std::string>>{{"\"height\": 6", "\"height\": 4294967302.5"},
                                                        {"\"id\": 42", "\"id\": 42.5"},
                                                        {"[6, 2, 40]", "[6, 2, 1e300]"},
                                                        {"[6, 2, 40]", "[6, 2, -40]"},
                                                        {"\"size\": [6, 8]", "\"size\": [6, 4294967304]"}}) {
    const WholeCoco coco;
    std::string text = read_file(coco.instances);
    text.replace(text.find(right), right.size(), wrong);
    write_file(coco.instances, text);
    fs::remove(coco.captions);
    EXPECT_USER_ERROR(coco.use(), "instances_val.json");
  }
  const TemporaryFolder folder;
  for (const auto& [right, wrong] :
       std::vector<std::pair<std::string, std::string>>{{"\"span\":[2,5]", "\"span\":[2,500]"},
                                                        {"\"span\":[2,5]", "\"span\":[-1,5]"},
                                                        {"\"tokens\":[1]", "\"tokens\":[1e99]"}}) {
    WholeSample changed;
    const size_t at = changed.json.find(right);
    ASSERT_NE(at, std::string::npos) << right;
    changed.json.replace(at, right.size(), wrong);
    changed.write(folder / "a.tar");
    EXPECT_USER_ERROR(use_shard(folder / "a.tar"), "000000000");
  }
}

TEST(HostileText, CaptionsThatAreNoTextAreRefused) {
  const TemporaryFolder folder;
  ShardWriter writer(folder / "a.tar");
  writer.add("7", {{"png", vision::encode_png(vision::Image(2, 2))}, {"txt", "a dog \xff"}});
  writer.commit();
  const ShardReader reader(folder / "a.tar");
  EXPECT_USER_ERROR(reader.sample(reader.samples()[0]), "a.tar/7.txt: is not UTF-8 text");
  fs::create_directory(folder / "pictures");
  write_file(folder / "pictures/a.png", vision::encode_png(vision::Image(2, 2)));
  write_file(folder / "pictures/a.txt", std::string("a\0b", 3));
  EXPECT_USER_ERROR(open_caption_folder(folder / "pictures"), "a.txt: data.root: holds a control character (0)");
}

}  // namespace
}  // namespace freeatm::data
