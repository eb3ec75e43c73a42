// SPDX-License-Identifier: Apache-2.0
// A folder takes another's place, killed before each of its system calls.
#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstddef>
#include <cstdio>
#include <fstream>
#include <iterator>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <set>
#include <string>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>
#include <vector>

#include <gtest/gtest.h>

#include "freeatm/core/files.h"

#include "testing.h"

namespace freeatm {
namespace {

using testing::TemporaryFolder;

constexpr int kNotTraced = 77;

void fill(const fs::path& folder, const std::string& text) {
  fs::create_directories(folder / "inner");
  for (const char* name : {"a", "b", "inner/c"}) std::ofstream(folder / name) << text;
}

/// What all files of the folder say; "torn" where they differ or one is missing, "nothing" where there is no folder.
std::string said_by(const fs::path& folder) {
  if (!fs::exists(folder)) return "nothing";
  std::set<std::string> said;
  for (const char* name : {"a", "b", "inner/c"}) said.insert(fs::exists(folder / name) ? read_file(folder / name) : "");
  return said.size() == 1 ? *said.begin() : "torn";
}

/// This process's renames that exchange fail from here on, as on file systems that cannot.
void refuse_exchanges() {
  sock_filter filter[] = {BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, nr)),
                          BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_renameat2, 0, 3),
                          BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, args[4])),
                          BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, RENAME_EXCHANGE, 0, 1),
                          BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EINVAL),
                          BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW)};
  const sock_fprog program{std::size(filter), filter};
  if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 || prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) != 0)
    _exit(kNotTraced);
}

struct Traced {
  std::vector<uint64_t> calls;  // system calls' numbers, the last of which did not happen where the process was killed
  int code = -1;                // of its exit; -1: killed
};

/// Commits a folder that says "new" as `path` in a child, which is killed before system call `last` of the commit.
Traced commit_until(const fs::path& path, size_t last, bool with_exchange) {
  const pid_t child = fork();
  if (child == 0) {
    PendingPath pending(path);
    fill(pending.temporary(), "new");
    if (!with_exchange) refuse_exchanges();
    if (ptrace(PTRACE_TRACEME, 0, nullptr, nullptr) != 0) _exit(kNotTraced);
    raise(SIGSTOP);
    pending.commit();
    _exit(0);
  }
  Traced traced;
  int status = 0;
  waitpid(child, &status, 0);
  ptrace(PTRACE_SETOPTIONS, child, nullptr, reinterpret_cast<void*>(PTRACE_O_TRACESYSGOOD | PTRACE_O_EXITKILL));
  while (WIFSTOPPED(status) && traced.calls.size() <= last) {
    __ptrace_syscall_info info{};
    ptrace(PTRACE_GET_SYSCALL_INFO, child, reinterpret_cast<void*>(sizeof info), &info);
    if (info.op == PTRACE_SYSCALL_INFO_ENTRY) traced.calls.push_back(info.entry.nr);
    if (traced.calls.size() > last) break;
    ptrace(PTRACE_SYSCALL, child, nullptr, nullptr);
    waitpid(child, &status, 0);
  }
  if (WIFSTOPPED(status)) {
    kill(child, SIGKILL);
    waitpid(child, &status, 0);
  }
  if (WIFEXITED(status)) traced.code = WEXITSTATUS(status);
  return traced;
}

constexpr size_t kToTheEnd = 1000;

/// What `path` said when the commit over an old folder was killed before each of its calls.
std::set<std::string> said_after_kills(const fs::path& folder, bool with_exchange) {
  std::set<std::string> said;
  const fs::path path = folder / "made";
  for (size_t last = 0; last < kToTheEnd; ++last) {
    fs::remove_all(path);
    fill(path, "old");
    const Traced traced = commit_until(path, last, with_exchange);
    said.insert(said_by(path));
    PendingPath(path).remove_abandoned();
    const std::string in_the_end = said_by(path);
    EXPECT_TRUE(in_the_end == "old" || in_the_end == "new") << in_the_end << ", killed before call " << last;
    EXPECT_EQ(std::distance(fs::directory_iterator(folder), {}), 1) << "killed before call " << last;
    if (traced.code != -1) {
      EXPECT_EQ(in_the_end, "new");
      return said;
    }
  }
  ADD_FAILURE() << "no end";
  return said;
}

class Commit : public ::testing::Test {
 protected:
  void SetUp() override {
    if (commit_until(folder_ / "made", kToTheEnd, /*with_exchange=*/false).code == kNotTraced)
      GTEST_SKIP() << "no process may be traced or filtered here";
    fs::remove_all(folder_ / "made");
  }
  TemporaryFolder folder_;
};

TEST_F(Commit, KilledAnywhereLeavesTheOldFolderOrTheNewOne) {
  EXPECT_EQ(said_after_kills(folder_.path(), /*with_exchange=*/true), (std::set<std::string>{"old", "new"}));
}

TEST_F(Commit, WithoutExchangesTheOldFolderComesBack) {
  EXPECT_EQ(said_after_kills(folder_.path(), /*with_exchange=*/false),
            (std::set<std::string>{"old", "nothing", "new"}));
}

TEST_F(Commit, SyncsFilesAndFoldersThenTheName) {
  fill(folder_ / "made", "old");
  const auto calls = commit_until(folder_ / "made", kToTheEnd, /*with_exchange=*/true).calls;
  const auto exchange = std::ranges::find(calls, uint64_t{SYS_renameat2});
  ASSERT_NE(exchange, calls.end());
  EXPECT_EQ(std::count(calls.begin(), exchange, uint64_t{SYS_fsync}), 5);  // three files, two folders
  EXPECT_EQ(std::count(calls.begin(), calls.end(), uint64_t{SYS_syncfs}), 0);
  const auto synced = std::find(exchange, calls.end(), uint64_t{SYS_fsync});
  const auto removed = std::find(exchange, calls.end(), uint64_t{SYS_unlinkat});
  EXPECT_LT(synced, removed);  // the old one goes when the new one is sure
  EXPECT_NE(removed, calls.end());
}

TEST(Leftovers, OfAnOldFolderTakeItsNameBackWhereNothingHasIt) {
  const TemporaryFolder folder;
  fill(folder / ".lost.1.old", "old");
  fill(folder / ".there.1.old", "old");
  fill(folder / "there", "new");
  fill(folder / ".lost.1.part", "new");
  write_file(folder / ".notes.part", "somebody's");
  EXPECT_FALSE(is_leftover(folder / ".notes.part"));
  remove_leftovers(folder.path());
  EXPECT_EQ(said_by(folder / "lost"), "old");
  EXPECT_EQ(said_by(folder / "there"), "new");
  EXPECT_EQ(std::distance(fs::directory_iterator(folder.path()), {}), 3);
}

}  // namespace
}  // namespace freeatm
