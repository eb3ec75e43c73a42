// SPDX-License-Identifier: Apache-2.0
// SHARD.tar.index: what is opened is the same with it, without it, and whatever became of it.
#include <chrono>
#include <functional>
#include <string>
#include <sys/wait.h>
#include <unistd.h>

#include <gtest/gtest.h>

#include "freeatm/core/error.h"
#include "freeatm/data/dataset.h"
#include "freeatm/data/shards.h"

#include "damage.h"
#include "testing.h"

namespace freeatm::data {
namespace {

using testing::TemporaryFolder;
using testing::write_unsynced;

/// "0.txt@512+5 1.txt@1536+5 ": all that an index says.
std::string said_of(const std::vector<IndexedSample>& samples) {
  std::string out;
  for (const IndexedSample& sample : samples) {
    for (const MemberPlace& place : sample.members)
      out += format("{}.{}@{}+{} ", sample.key, place.extension, place.offset, place.size);
  }
  return out;
}

std::string opened(const fs::path& path) { return said_of(ShardReader(path).samples()); }
std::string scanned(const fs::path& path) { return said_of(index_shard(path)); }

void make_older(const fs::path& path, std::chrono::hours by) {
  fs::last_write_time(path, fs::file_time_type::clock::now() - by);
}

class ShardIndex : public ::testing::Test {
 protected:
  /// Written so many hours ago.
  void write_tar(int samples, const std::string& prefix = "", int hours = 1) const {
    ShardWriter writer(tar_);
    for (int i = 0; i < samples; ++i) writer.add(prefix + std::to_string(i), {{"txt", "a dog"}, {"maps.npy", "0123"}});
    writer.commit();
    make_older(tar_, std::chrono::hours(hours));
  }
  int64_t files() const { return std::distance(fs::directory_iterator(folder_.path()), {}); }

  const TemporaryFolder folder_;
  const fs::path tar_ = folder_ / "a.tar", index_ = folder_ / "a.tar.index";
};

TEST_F(ShardIndex, IsWrittenByTheFirstReaderAndReadByTheNext) {
  write_tar(300);  // more than one read of headers
  const std::string wanted = scanned(tar_);
  EXPECT_FALSE(fs::exists(index_));  // index_shard is not asked for what may be stale
  EXPECT_EQ(opened(tar_), wanted);
  ASSERT_TRUE(fs::exists(index_));

  const auto time = fs::last_write_time(tar_);
  std::string bytes = read_file(tar_);
  bytes.replace(0, 100, std::string(100, 'x'));
  write_unsynced(tar_, bytes);
  fs::last_write_time(tar_, time);
  EXPECT_EQ(opened(tar_), wanted);  // the tar's headers are not looked at
  EXPECT_USER_ERROR(index_shard(tar_), "is not a tar file");
}

TEST_F(ShardIndex, OfAnotherTarIsWrittenAnew) {
  write_tar(3);
  opened(tar_);
  const std::string first = read_file(index_);
  write_tar(3, "", /*hours=*/2);
  EXPECT_EQ(opened(tar_), scanned(tar_));
  EXPECT_NE(read_file(index_), first);  // knows the new time
  write_tar(3, "n", /*hours=*/3);       // as many bytes
  EXPECT_EQ(opened(tar_), scanned(tar_));
  EXPECT_TRUE(opened(tar_).starts_with("n0.txt"));
  write_tar(4, "n", /*hours=*/3);
  EXPECT_EQ(opened(tar_), scanned(tar_));
}

TEST_F(ShardIndex, DamagedIsWrittenAnew) {
  write_tar(3);
  const std::string wanted = opened(tar_), whole = read_file(index_);
  const auto expect_mended = [&](const std::string& bytes, size_t at) {
    write_unsynced(index_, bytes);
    EXPECT_EQ(opened(tar_), wanted) << at;
    EXPECT_EQ(read_file(index_), whole) << at;
  };
  for (size_t at = 0; at < whole.size(); ++at) {
    std::string bytes = whole;
    bytes[at] = static_cast<char>(bytes[at] ^ 0x10);
    expect_mended(bytes, at);
    expect_mended(whole.substr(0, at), at);
  }
  expect_mended(whole + "x", whole.size());
}

TEST_F(ShardIndex, DoesNotHideThatATarIsCutOff) {
  write_tar(3);
  opened(tar_);
  const auto time = fs::last_write_time(tar_);
  fs::resize_file(tar_, 2048 + 512 + 2);
  EXPECT_USER_ERROR(ShardReader(tar_), "a.tar: 1.txt: is truncated: 5 bytes wanted, 2 there");
  fs::last_write_time(tar_, time);
  EXPECT_USER_ERROR(ShardReader(tar_), "a.tar: 1.txt: is truncated: 5 bytes wanted, 2 there");
  fs::resize_file(tar_, 2048);
  EXPECT_USER_ERROR(ShardReader(tar_), "is truncated: the tar has no end");
}

TEST_F(ShardIndex, WaitsUntilTheTarsTimeIsItsOwn) {
  write_tar(3, "", /*hours=*/0);
  opened(tar_);
  EXPECT_FALSE(fs::exists(index_));
}

TEST_F(ShardIndex, IsNoShardAndTakesNoFoldersPlace) {
  write_tar(3);
  opened(tar_);
  EXPECT_EQ(shard_paths(folder_.path()), std::vector<fs::path>{tar_});
  EXPECT_EQ(open_dataset({.root = folder_.path().string()})->size(), 3);
  fs::remove(index_);
  fs::create_directory(index_);
  EXPECT_EQ(opened(tar_), scanned(tar_));
  EXPECT_TRUE(fs::is_directory(index_));
}

/// Whether `work` succeeds in a child that may not write where it is not allowed to: root becomes nobody.
bool succeeds_without_rights(const std::function<bool()>& work) {
  const pid_t child = fork();
  if (child == 0) {
    constexpr uid_t kNobody = 65534;
    const bool is_ready = geteuid() != 0 || setuid(kNobody) == 0;
    _exit(is_ready && work() ? 0 : 1);
  }
  int status = 0;
  waitpid(child, &status, 0);
  return status == 0;
}

TEST_F(ShardIndex, IsNotMissedWhereNothingCanBeWritten) {
  write_tar(3);
  const std::string wanted = scanned(tar_);
  fs::permissions(folder_.path(), fs::perms(0555));
  ::testing::internal::CaptureStderr();
  EXPECT_TRUE(succeeds_without_rights([&] { return opened(tar_) == wanted; }));
  EXPECT_EQ(::testing::internal::GetCapturedStderr(), "");
  fs::permissions(folder_.path(), fs::perms(0755));
  EXPECT_EQ(files(), 1);
}

TEST_F(ShardIndex, IsWrittenByTwoProcessesAtOnce) {
  write_tar(300);
  const std::string wanted = opened(tar_), whole = read_file(index_);
  const auto hammer = [&] {
    bool is_same = true;
    for (int i = 0; i < 200; ++i) {
      if (i % 4 == 0) {
        std::error_code ignored;
        fs::remove(index_, ignored);
      }
      is_same = is_same && opened(tar_) == wanted;
    }
    return is_same;
  };
  const pid_t other = fork();
  if (other == 0) _exit(hammer() ? 0 : 1);
  EXPECT_TRUE(hammer());
  int status = 0;
  waitpid(other, &status, 0);
  EXPECT_EQ(status, 0);
  EXPECT_EQ(opened(tar_), wanted);
  EXPECT_EQ(read_file(index_), whole);
  EXPECT_EQ(files(), 2);
}

}  // namespace
}  // namespace freeatm::data
