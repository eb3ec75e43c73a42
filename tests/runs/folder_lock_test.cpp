// SPDX-License-Identifier: Apache-2.0
// Two processes and one folder, with the kernel's lock and with the file alone, as on a file system without such locks.
#include "freeatm/runs/folder_lock.h"

#include <csignal>
#include <fcntl.h>
#include <functional>
#include <memory>
#include <optional>
#include <sys/file.h>
#include <sys/wait.h>
#include <unistd.h>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "freeatm/core/json.h"

#include "lock_file.h"
#include "testing.h"

namespace freeatm::runs {
namespace {

using namespace testing;

/// A process that does something, says so, and lives on until it is killed.
class OtherProcess {
 public:
  explicit OtherProcess(const std::function<void()>& act) {
    int ends[2];
    if (::pipe(ends) != 0) return;
    id_ = ::fork();
    if (id_ == 0) {
      char done = 'y';
      try {
        act();
      } catch (const UserError&) {
        done = 'n';
      }
      if (::write(ends[1], &done, 1) == 1) ::pause();
      ::_exit(0);
    }
    said_ = ends[0];
    ::close(ends[1]);
  }
  ~OtherProcess() {
    kill();
    ::close(said_);
  }
  OtherProcess(const OtherProcess&) = delete;
  OtherProcess& operator=(const OtherProcess&) = delete;

  /// Waits until it is done.
  bool succeeded() {
    char done = 0;
    if (!succeeded_) succeeded_ = ::read(said_, &done, 1) == 1 && done == 'y';
    return *succeeded_;
  }
  pid_t id() const { return id_; }
  void kill() {
    if (id_ <= 0) return;
    ::kill(id_, SIGKILL);
    ::waitpid(id_, nullptr, 0);
    id_ = 0;
  }

 private:
  pid_t id_ = 0;
  int said_ = -1;
  std::optional<bool> succeeded_;
};

TEST(FolderLock, IsOneProcessesAtATime) {
  const TemporaryFolder folder;
  {
    const FolderLock ours(folder.path());
    const FolderLock again(folder.path());  // of the same process
    EXPECT_TRUE(fs::exists(folder / kLockFile));
    const int other = ::open(folder.path().c_str(), O_RDONLY | O_DIRECTORY);
    EXPECT_NE(::flock(other, LOCK_EX | LOCK_NB), 0);
    ::close(other);
  }
  EXPECT_TRUE(fs::is_empty(folder.path()));

  OtherProcess other([&] { new FolderLock(folder.path()); });
  ASSERT_TRUE(other.succeeded());
  EXPECT_USER_ERROR(FolderLock(folder.path()), "out: another process is at work in it");
  other.kill();
  EXPECT_TRUE(fs::exists(folder / kLockFile)) << "a killed process cannot remove it";
  EXPECT_TRUE(holds_nothing(folder.path()));
  const FolderLock ours(folder.path());
}

TEST(LockFile, HoldsWithoutTheKernelsLocks) {
  const TemporaryFolder folder;
  OtherProcess holder([&] { take_lock_file(folder.path()); });
  ASSERT_TRUE(holder.succeeded());
  EXPECT_USER_ERROR(take_lock_file(folder.path()), format("another process is at work in it ({})", holder.id()));
  drop_lock_file(folder.path());
  EXPECT_TRUE(fs::exists(folder / kLockFile)) << "it is not ours";

  holder.kill();
  take_lock_file(folder.path());
  EXPECT_EQ(read_json(folder / kLockFile).at("process"), ::getpid());
  OtherProcess late([&] { take_lock_file(folder.path()); });
  EXPECT_FALSE(late.succeeded());
  drop_lock_file(folder.path());
  EXPECT_TRUE(fs::is_empty(folder.path()));
}

TEST(LockFile, OfAnEndedProcessGoesToOneOfMany) {
  const TemporaryFolder folder;
  OtherProcess ended([&] { take_lock_file(folder.path()); });
  ASSERT_TRUE(ended.succeeded());
  ended.kill();
  std::vector<std::unique_ptr<OtherProcess>> many;
  int holders = 0;
  for (int i = 0; i < 16; ++i)  // all at once
    many.push_back(std::make_unique<OtherProcess>([&] { take_lock_file(folder.path()); }));
  for (const auto& one : many) holders += one->succeeded();
  EXPECT_EQ(holders, 1);
}

/// The lock that this process has just taken, with something changed.
void change_lock(const fs::path& folder, const std::function<void(nlohmann::json&)>& change) {
  take_lock_file(folder);
  nlohmann::json json = read_json(folder / kLockFile);
  change(json);
  write_file(folder / kLockFile, json.dump());
}

TEST(LockFile, OfAProcessThatNobodyHasAskedAfterIsTakenOver) {
  const TemporaryFolder folder;
  OtherProcess holder([&] { take_lock_file(folder.path()); });
  ASSERT_TRUE(holder.succeeded());
  ::kill(holder.id(), SIGKILL);
  siginfo_t info{};
  ASSERT_EQ(::waitid(P_PID, static_cast<id_t>(holder.id()), &info, WEXITED | WNOWAIT), 0);  // it stays a zombie
  EXPECT_NO_THROW(take_lock_file(folder.path()));
}

TEST(LockFile, OfAnotherMachineSaysHowToTakeItOver) {
  const TemporaryFolder folder;
  change_lock(folder.path(), [](auto& json) { json["host"] = "node7", json["process"] = 123; });
  EXPECT_USER_ERROR(take_lock_file(folder.path()), "process 123 of another machine (node7) is at work in it");
  EXPECT_USER_ERROR(take_lock_file(folder.path()), "remove " + (folder / kLockFile).string());
  fs::remove(folder / kLockFile);
  EXPECT_NO_THROW(take_lock_file(folder.path()));
}

TEST(LockFile, IsNotFooledByANumberUsedAgainNorByACopy) {
  const TemporaryFolder folder;
  change_lock(folder.path(), [](auto& json) { json["started"] = "1"; });
  EXPECT_NO_THROW(take_lock_file(folder.path()));  // ours is younger
  const fs::path copy = folder / "copy";
  fs::create_directories(copy);
  fs::copy_file(folder / kLockFile, copy / kLockFile);
  EXPECT_NO_THROW(take_lock_file(copy));
}

TEST(LockFile, ThatNobodyCanReadIsRespected) {
  const TemporaryFolder folder;
  write_file(folder / kLockFile, "");
  EXPECT_USER_ERROR(take_lock_file(folder.path()), "is at work in it; if it has ended, remove");
}

}  // namespace
}  // namespace freeatm::runs
