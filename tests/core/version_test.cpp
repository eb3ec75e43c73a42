// SPDX-License-Identifier: Apache-2.0
// The version, and the script that asks git for the commit at every build.
#include "freeatm/core/version.h"

#include <chrono>
#include <cstdlib>

#include "freeatm/core/files.h"

#include "testing.h"

namespace freeatm {
namespace {

constexpr const char* kHexDigits = "0123456789abcdef";

bool succeeds(const std::string& command) { return std::system((command + " >/dev/null 2>&1").c_str()) == 0; }

TEST(Version, IsTheProjects) {
  const std::string project = read_file(testing::source_file("CMakeLists.txt"));
  EXPECT_NE(project.find("project(freeatm VERSION " + version() + " "), std::string::npos) << version();
  EXPECT_EQ(commit().find_first_of("\"\\ \n"), std::string::npos) << commit();
}

/// A repository with one commit in a folder of its own.
class ProgramCommit : public ::testing::Test {
 protected:
  void SetUp() override {
    if (!succeeds("git --version")) GTEST_SKIP() << "no git";
    fs::create_directory(sources());
    write_file(sources() / "file", "1");
    git("init");
    commit_all();
  }

  void git(const std::string& arguments) {
    const std::string command =
        "git -C " + sources().string() + " -c user.name=a -c user.email=a@b -c commit.gpgsign=no ";
    ASSERT_TRUE(succeeds("GIT_CONFIG_GLOBAL=/dev/null " + command + arguments)) << arguments;
  }
  void commit_all() {
    git("add -A");
    git("commit -m change");
  }

  bool write(const fs::path& sources, const std::string& environment = "") {
    return succeeds("env -u FREEATM_COMMIT " + environment + " cmake -D SOURCE_DIR=" + sources.string() +
                    " -D VERSION=1.2.3 -D OUTPUT=" + output().string() + " -P " +
                    testing::source_file("cmake/FreeatmVersion.cmake"));
  }
  /// What commit() of the written source gives.
  std::string written(const fs::path& sources, const std::string& environment = "") {
    EXPECT_TRUE(write(sources, environment));
    const std::string source = read_file(output());
    EXPECT_NE(source.find("version() { return \"1.2.3\"; }"), std::string::npos);
    const std::string before = "commit() { return \"";
    const size_t begin = source.find(before) + before.size();
    return source.substr(begin, source.find('"', begin) - begin);
  }

  fs::path sources() const { return folder_ / "sources"; }
  fs::path output() const { return folder_ / "version.cpp"; }
  testing::TemporaryFolder folder_;
};

TEST_F(ProgramCommit, CountsFromTheLastTagAndSeesChanges) {
  const std::string first = written(sources());
  EXPECT_TRUE(first.size() >= 7 && first.find_first_not_of(kHexDigits) == std::string::npos) << first;
  git("tag v1.2.3");
  EXPECT_EQ(written(sources()), "v1.2.3");
  write_file(sources() / "file", "2");
  EXPECT_EQ(written(sources()), "v1.2.3-dirty");
  commit_all();
  const std::string later = written(sources(), "FREEATM_COMMIT=other");  // git knows better
  EXPECT_TRUE(later.starts_with("v1.2.3-1-g") && later.find_first_not_of(kHexDigits, 10) == std::string::npos) << later;
}

TEST_F(ProgramCommit, ThatIsTheSameLeavesTheSourceAlone) {
  written(sources());
  const auto long_ago = fs::last_write_time(output()) - std::chrono::hours(1);
  fs::last_write_time(output(), long_ago);
  written(sources());
  EXPECT_EQ(fs::last_write_time(output()), long_ago);
  git("tag v1.2.3");
  written(sources());
  EXPECT_NE(fs::last_write_time(output()), long_ago);
}

TEST_F(ProgramCommit, OfAnotherRepositoryAroundIsNotOurs) {
  fs::create_directory(sources() / "unpacked");
  EXPECT_EQ(written(sources() / "unpacked"), "");
  EXPECT_EQ(written(sources() / "unpacked", "FREEATM_COMMIT=v1.2.3"), "v1.2.3");
  EXPECT_FALSE(write(sources() / "unpacked", "'FREEATM_COMMIT=\"; evil(); \"'"));
}

}  // namespace
}  // namespace freeatm
