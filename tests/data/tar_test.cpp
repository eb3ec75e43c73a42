// SPDX-License-Identifier: Apache-2.0
// Tars as others write them: tests/data/data/*.tar, made by scripts/baselines/tars.py.
#include <gtest/gtest.h>

#include "freeatm/core/error.h"
#include "freeatm/core/files.h"
#include "freeatm/data/shards.h"

#include "testing.h"

namespace freeatm::data {
namespace {

std::string tar(const std::string& name) { return testing::test_file("data/data/" + name); }

/// Each member of those tars holds its own name.
void expect_own_members(const std::string& name, const std::vector<std::string>& keys) {
  testing::TemporaryFolder folder;  // an index would be written beside it
  fs::copy_file(tar(name), folder / "a.tar");
  const ShardReader reader(folder / "a.tar");
  ASSERT_EQ(reader.samples().size(), keys.size()) << name;
  for (size_t i = 0; i < keys.size(); ++i) {
    const IndexedSample& sample = reader.samples()[i];
    EXPECT_EQ(sample.key, keys[i]);
    for (const char* extension : {"png", "txt"})
      EXPECT_EQ(reader.bytes(sample, extension), keys[i] + "." + extension) << name;
  }
}

TEST(Tar, HasNamesInAllOfItsForms) {
  for (const char* name : {"pax_unicode.tar", "gnu_unicode.tar"}) expect_own_members(name, {"a", "größe", "犬"});
  std::string deep;
  for (int i = 0; i < 30; ++i) deep += "deep/";
  deep += "picture-" + std::string(90, 'x');
  for (const char* name : {"pax_long.tar", "gnu_long.tar"}) expect_own_members(name, {deep + "0", deep + "1"});
}

TEST(Tar, PassesOverWhatIsNoMemberAsWebDatasetDoes) {
  const auto samples = index_shard(tar("strangers.tar"));
  ASSERT_EQ(samples.size(), 1U);
  EXPECT_EQ(samples[0].key, "b/1");
  ASSERT_EQ(samples[0].members.size(), 2U);
  EXPECT_EQ(samples[0].members[0].extension, "png");
  EXPECT_EQ(samples[0].members[1].extension, "txt");
}

TEST(Tar, RefusesWhatWouldMixSamplesOrCannotBeRead) {
  EXPECT_USER_ERROR(index_shard(tar("twice.tar")), "twice.tar: 1: stands twice, other samples between");
  const testing::TemporaryFolder folder;
  const std::string whole = read_file(tar("pax_unicode.tar"));
  write_file(folder / "z.tar", "\x1f\x8b\x08" + std::string(2000, 'x'));
  EXPECT_USER_ERROR(index_shard(folder / "z.tar"), "is compressed (gzip)");
  write_file(folder / "short.tar", whole.substr(0, 1024));
  EXPECT_USER_ERROR(index_shard(folder / "short.tar"), "is truncated");
  write_file(folder / "text.tar", "no tar");
  EXPECT_USER_ERROR(index_shard(folder / "text.tar"), "is not a tar file");
  std::string broken = whole;
  const size_t record = broken.find(" path=");
  ASSERT_NE(record, std::string::npos);
  broken[record - 1] = 'x';  // the record's length, in the member that holds records: no checksum covers it
  write_file(folder / "record.tar", broken);
  EXPECT_USER_ERROR(index_shard(folder / "record.tar"), "damaged PAX record");
}

}  // namespace
}  // namespace freeatm::data
