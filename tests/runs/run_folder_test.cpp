// SPDX-License-Identifier: Apache-2.0
#include "freeatm/runs/run_folder.h"

#include <csignal>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/wait.h>
#include <unistd.h>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "freeatm/core/json.h"
#include "freeatm/core/version.h"

#include "lock_file.h"
#include "testing.h"

namespace freeatm::runs {
namespace {

using namespace testing;

Claim claim(const fs::path& out, double lr, const std::string& resume = "auto", std::vector<Input> inputs = {}) {
  const std::string yaml = format("out: {}\nseed: 1\ntrainer:\n  lr: {}\ndata:\n  root: {}\n", out, lr, out);
  return {out, resume, config::parse_yaml(yaml, "test.yaml"), {"out"}, std::move(inputs)};
}

/// Claims, leaves a mark of work, and lets go.
bool was_there(const Claim& wanted) {
  const RunFolder folder(wanted);
  write_file(folder.path() / "work", "done");
  return folder.was_there();
}

Claim with_data(const fs::path& out, const std::string& root, const std::string& identity,
                const std::string& resume = "auto") {
  Claim wanted = claim(out, 0.1, resume, {{"data.root", identity}});
  wanted.config.find_path("data.root")->value() = root;
  return wanted;
}

TEST(RunFolder, IsMadeOnceAndFoundAgain) {
  const TemporaryFolder folder;
  const fs::path out = folder / "run", moved = folder / "moved";
  EXPECT_FALSE(was_there(claim(out, 0.1)));
  EXPECT_TRUE(was_there(claim(out, 0.1)));
  EXPECT_TRUE(was_there(claim(out, 0.1, "must")));
  EXPECT_USER_ERROR(was_there(claim(folder / "other", 0.1, "must")), "must: there is nothing to go on");
  EXPECT_FALSE(fs::exists(folder / "other"));
  EXPECT_EQ(run_config(out, "checkpoint").find_path("trainer.lr")->text(), "0.1");
}

TEST(RunFolder, RefusesAnotherRunsFolder) {
  const TemporaryFolder folder;
  const fs::path out = folder / "run";
  was_there(claim(out, 0.1));
  EXPECT_USER_ERROR(was_there(claim(out, 0.2)), "holds a run of another config (trainer.lr: 0.1 there, 0.2 here)");
  EXPECT_USER_ERROR(was_there(claim(out, 0.1, "never")), "holds a run already");
  write_file(folder / "notes.txt", "mine");
  EXPECT_USER_ERROR(was_there(claim(folder.path(), 0.1)), "neither empty nor a run folder");
  EXPECT_USER_ERROR(run_config(folder.path(), "checkpoint"), "checkpoint: is no run folder");
}

TEST(RunFolder, MayBeGoneOnWithOnPurpose) {
  const TemporaryFolder folder;
  const fs::path out = folder / "run";
  EXPECT_FALSE(was_there(claim(out, 0.1, "force")));
  EXPECT_TRUE(was_there(claim(out, 0.2, "force")));
  EXPECT_TRUE(was_there(claim(out, 0.2)));
  EXPECT_USER_ERROR(was_there(claim(out, 0.1)), "trainer.lr: 0.2 there, 0.1 here");
}

TEST(RunFolder, KnowsItsDataByWhatLiesThere) {
  const TemporaryFolder folder;
  const fs::path out = folder / "run";
  was_there(with_data(out, "here", "a"));
  EXPECT_TRUE(was_there(with_data(out, "moved", "a")));
  EXPECT_USER_ERROR(was_there(with_data(out, "here", "b")),
                    "another origin (data.root: what lies there is not the same: a there, b here); give another "
                    "folder, or resume=force");
  EXPECT_TRUE(was_there(with_data(out, "here", "b", "force")));
  EXPECT_TRUE(was_there(with_data(out, "here", "b")));
}

TEST(RunFolder, OfBeforeIdentitiesIsComparedByItsConfig) {
  const TemporaryFolder folder;
  const fs::path out = folder / "run";
  was_there(with_data(out, "here", "a"));
  for (const std::string& damaged : {std::string("[{"), std::string("7"), std::string("{}"), std::string(1000, '[')}) {
    write_file(out / "identity.json", damaged);
    EXPECT_USER_ERROR(was_there(with_data(out, "moved", "b")), "data.root: here there, moved here");
    EXPECT_TRUE(was_there(with_data(out, "here", "b")));
    EXPECT_USER_ERROR(was_there(with_data(out, "here", "a")), "data.root: what lies there is not the same");
  }
  fs::remove(out / "identity.json");
  EXPECT_TRUE(was_there(with_data(out, "here", "a")));
}

TEST(RunFolder, OfAnotherVersionIsRefused) {
  const TemporaryFolder folder;
  was_there(claim(folder.path(), 0.1));
  Identity identity = read_identity(folder.path());
  identity.version = "0.0.7";
  write_identity(folder.path(), identity);
  EXPECT_USER_ERROR(was_there(claim(folder.path(), 0.1)), "freeatm 0.0.7 there, " + version() + " here");
  EXPECT_TRUE(was_there(claim(folder.path(), 0.1, "force")));
  EXPECT_TRUE(was_there(claim(folder.path(), 0.1)));
}

struct MarkedOptions {
  int64_t batch_size = 8, workers = 1;
  bool quiet = false;
  std::string out, resume = "auto";
  void fields(config::Fields& f) {
    f("out", out, "", config::free());
    f("resume", resume, "", any_resume());
    f("quiet", quiet, "", config::free());
    f("batch_size", batch_size, "", config::at_least(1));
  }
};
struct NestedOptions {
  MarkedOptions inner;
  void fields(config::Fields& f) { f.group("inner", inner); }
};

TEST(FreeKeys, AreThoseThatTheFieldsMark) {
  EXPECT_EQ(config::free_keys(MarkedOptions()), (std::vector<std::string>{"out", "resume", "quiet"}));
  EXPECT_EQ(config::free_keys(NestedOptions()), (std::vector<std::string>{"inner.out", "inner.resume", "inner.quiet"}));
  const TemporaryFolder folder;
  MarkedOptions options;
  const auto claimed = [&] { return was_there(claim_of(options, folder / "run", "auto")); };
  EXPECT_FALSE(claimed());
  options.out = "elsewhere", options.quiet = true, options.resume = "force";
  EXPECT_TRUE(claimed());
  options.batch_size = 16;
  EXPECT_USER_ERROR(claimed(), "batch_size: 8 there, 16 here");
}

TEST(RunFolder, NotesTheProgramsThatWorkedInIt) {
  const TemporaryFolder folder;
  const fs::path file = folder / "program.json";
  const auto claimed = [&] {
    was_there(claim(folder.path(), 0.1));
    return read_json(file);
  };
  nlohmann::json programs = claimed();
  ASSERT_EQ(programs.size(), 1u);
  EXPECT_EQ(programs[0].at("version"), version());
  EXPECT_EQ(programs[0].at("commit"), commit());
  EXPECT_FALSE(programs[0].at("libtorch").get<std::string>().empty());
  EXPECT_EQ(claimed(), programs) << "the same program is noted once";

  programs[0]["commit"] = "v0.0.9";
  write_file(file, programs.dump());
  programs = claimed();
  ASSERT_EQ(programs.size(), 2u);
  EXPECT_EQ(programs[0].at("commit"), "v0.0.9");
  EXPECT_EQ(programs[1].at("commit"), commit());

  for (const std::string& damaged : {std::string("[{"), std::string("7"), std::string(1000, '[')}) {
    write_file(file, damaged);
    EXPECT_EQ(claimed().size(), 1u) << damaged;
  }
}

TEST(RunFolder, IsAsItWasWhereNothingCameOfIt) {
  const TemporaryFolder folder;
  { const RunFolder claimed(claim(folder.path(), 0.1)); }
  EXPECT_TRUE(fs::is_empty(folder.path()));
  { const RunFolder claimed(claim(folder / "new", 0.2)); }
  EXPECT_FALSE(fs::exists(folder / "new"));
  was_there(claim(folder / "new", 0.2));
  { const RunFolder claimed(claim(folder / "new", 0.2)); }
  EXPECT_TRUE(fs::exists(folder / "new" / "config.yaml"));
}

TEST(RunFolder, LosesWhatAKilledProcessLeftHalfWritten) {
  const TemporaryFolder folder;
  const fs::path out = folder / "run";
  fs::create_directories(out);
  write_file(out / ".config.yaml.1.part", "seed:");
  EXPECT_FALSE(was_there(claim(out, 0.1)));  // killed before it had a config
  EXPECT_FALSE(fs::exists(out / ".config.yaml.1.part"));
}

}  // namespace
}  // namespace freeatm::runs
