// SPDX-License-Identifier: Apache-2.0
// freeatm table, through the program itself: going on, failures, kills, two at once, and the shipped tables.
#include <csignal>

#include <nlohmann/json.hpp>

#include "program.h"
#include "training/program_run.h"

namespace freeatm {
namespace {

using testing::contains;
using testing::Outcome;
using testing::Process;
using testing::run_program;
using testing::TemporaryFolder;

constexpr const char* kTiny = R"(seeds: [0, 1]
data:
  world: world count=40 eval_count=40
steps:
  pretrain: >-
    pretrain experiment=nano_moco data.root=@world/scenes trainer.epochs=2 trainer.warmup_epochs=1 trainer.checkpoint_steps=1
    loader.batch_size=8 objective.hidden=32 objective.dimensions=16
  knn: evaluate task=knn checkpoint=@pretrain data.root=@world/objects data.eval_splits=[test] random_weights=none
rows:
  random: {title: random crops}
  regions: {pretrain: objective.regions=pooled}
baseline: random
columns:
  knn: {step: knn, metric: test_knn_accuracy}
size: small
)";

class Table : public testing::Refusals {
 protected:
  /// The tiny table under a name, with the first `from` in it replaced.
  std::string table(const std::string& name = "tiny", const std::string& from = "", const std::string& to = "") const {
    std::string text = kTiny;
    if (!from.empty()) text.replace(text.find(from), from.size(), to);
    write_file(in_ / (name + ".yaml"), text);
    return arguments(name);
  }
  std::string arguments(const std::string& name) const {
    const auto in = [&](const std::string& file) { return (in_ / file).string(); };
    return format("table {} out={} table.record={} table.runs={} table.threads=1", in(name + ".yaml"),
                  in("out_" + name), in(name + ".jsonl"), in("runs"));
  }
  std::string markdown(const std::string& name = "tiny") const { return read_file(in_ / ("out_" + name) / "table.md"); }
  /// The rows, without what differs from run to run.
  static std::string scores(const std::string& markdown) {
    std::string out;
    for (size_t at = 0, end; (end = markdown.find('\n', at)) != std::string::npos; at = end + 1) {
      const std::string line = markdown.substr(at, end - at);
      if (line.starts_with("| random crops") || line.starts_with("| regions"))
        out += line.substr(0, line.rfind('|', line.size() - 2)) + "\n";
    }
    return out;
  }
  static std::vector<std::string> words(const std::string& line) {
    std::vector<std::string> out;
    std::istringstream in(line);
    for (std::string word; in >> word;) out.push_back(word);
    return out;
  }
  int64_t lines_with(const std::string& name, const std::string& part) const {
    std::istringstream lines(read_file(in_ / (name + ".jsonl")));
    int64_t count = 0;
    for (std::string line; std::getline(lines, line);) count += contains(line, part);
    return count;
  }
};

TEST_F(Table, RunsWhatIsMissingAndNothingTwice) {
  const Outcome plan = run_program(table() + " --plan");
  EXPECT_EQ(plan.code, 0) << plan.text;
  EXPECT_TRUE(contains(plan.text, "9 jobs to run, 1 at a time with 1 threads each")) << plan.text;
  EXPECT_FALSE(fs::exists(in_ / "runs"));

  const Outcome first = run_program(table() + " table.jobs=2 table.seeds=1");
  ASSERT_EQ(first.code, 0) << first.text;
  EXPECT_TRUE(contains(markdown(), "one seed: none")) << markdown();
  EXPECT_EQ(lines_with("tiny", "\"job\""), 5);
  const Outcome more = run_program(table() + " table.jobs=2");
  ASSERT_EQ(more.code, 0) << more.text;
  EXPECT_TRUE(contains(more.text, "4 jobs to run")) << more.text;
  EXPECT_EQ(lines_with("tiny", "\"job\""), 9);
  const std::string scored = scores(markdown());
  EXPECT_EQ(std::count(scored.begin(), scored.end(), '\n'), 3) << markdown();

  fs::remove_all(in_ / "runs");  // the record is enough
  const Outcome again = run_program(table());
  EXPECT_EQ(again.code, 0) << again.text;
  EXPECT_TRUE(contains(again.text, "nothing is to be run")) << again.text;
  EXPECT_EQ(scores(markdown()), scored);

  // Another column needs the files of trainings: they are made again.
  const Outcome wider = run_program(
      table("tiny", "size: small", "  loss: {step: pretrain, metric: loss}\nsize: small") + " table.seeds=1 --plan");
  EXPECT_TRUE(contains(wider.text, "nothing is to be run")) << wider.text;  // recorded, too
  const Outcome other = run_program(
      table("tiny", "knn: evaluate task=knn", "knn: evaluate task=knn knn.neighbours=[5]") + " table.seeds=1 --plan");
  EXPECT_TRUE(contains(other.text, "5 jobs to run")) << other.text;
}

TEST_F(Table, GoesOnAfterAFailedCellAndSaysWhy) {
  const std::string arguments =
      table("tiny", "baseline:", "  broken: {pretrain: data.layout=voc}\nbaseline:") + " table.seeds=1 table.jobs=2";
  const Outcome outcome = run_program(arguments);
  EXPECT_EQ(outcome.code, 1) << outcome.text;
  EXPECT_TRUE(contains(outcome.text, "pretrain, broken, seed 0: exit code 2: E ")) << outcome.text;
  EXPECT_TRUE(contains(outcome.text, "1 more jobs were not run: they need one of these")) << outcome.text;
  EXPECT_TRUE(contains(markdown(), "| broken | – |")) << markdown();
  EXPECT_EQ(lines_with("tiny", "\"job\""), 5);
}

TEST_F(Table, MissesAreMarkedAndEndWithOne) {
  const Outcome outcome =
      run_program(table("tiny", "baseline:", "expected: {regions: {knn: 2}}\ntolerance: .1\nbaseline:") +
                  " table.seeds=1 table.jobs=2");
  EXPECT_EQ(outcome.code, 1) << outcome.text;
  EXPECT_TRUE(contains(outcome.text, "regions, knn: 2.000 ± 0.100 was expected")) << outcome.text;
  EXPECT_TRUE(contains(markdown(), "✗")) << markdown();
}

TEST_F(Table, KilledAndStoppedItGoesOnToTheSameNumbers) {
  ASSERT_EQ(run_program(table("straight") + " table.jobs=2").code, 0);
  fs::rename(in_ / "runs", in_ / "runs_straight");
  const auto has_checkpoint = [&] {
    std::error_code none;
    for (const auto& entry : fs::directory_iterator(in_ / "runs", none)) {
      if (fs::exists(entry.path() / "checkpoints/step_2")) return true;
    }
    return false;
  };
  for (const int signal : {SIGKILL, SIGINT}) {
    fs::remove_all(in_ / "runs");
    fs::remove(in_ / "tiny.jsonl");
    Process process(words(table() + " table.jobs=2"), in_ / "said");
    ASSERT_TRUE(process.wait_until(has_checkpoint)) << read_file(in_ / "said");
    process.signal(signal);
    const int status = process.wait();
    if (signal == SIGKILL) {
      EXPECT_TRUE(WIFSIGNALED(status));
      Process::pause(0.2);  // its jobs are killed with it
    } else {
      EXPECT_EQ(WEXITSTATUS(status), 128 + signal) << read_file(in_ / "said");
    }
    const Outcome outcome = run_program(table() + " table.jobs=2");
    EXPECT_EQ(outcome.code, 0) << outcome.text;
    EXPECT_EQ(scores(markdown()), scores(markdown("straight")));
  }
}

TEST_F(Table, TwoAtOnceShareTheirJobs) {
  Process one(words(table("one")), in_ / "said_one"), other(words(table("other")), in_ / "said_other");
  EXPECT_EQ(WEXITSTATUS(one.wait()), 0) << read_file(in_ / "said_one");
  EXPECT_EQ(WEXITSTATUS(other.wait()), 0) << read_file(in_ / "said_other");
  EXPECT_EQ(scores(markdown("one")), scores(markdown("other")));
  EXPECT_TRUE(contains(read_file(in_ / "said_one") + read_file(in_ / "said_other"), "waits for another process"));
  const auto date_of_world = [&](const std::string& name) {
    std::istringstream lines(read_file(in_ / (name + ".jsonl")));
    for (std::string line; std::getline(lines, line);) {
      const auto json = nlohmann::json::parse(line);
      if (json.value("step", "") == "world")
        return json.at("date").get<std::string>() + format(" {}", json.at("minutes").get<double>());
    }
    return std::string();
  };
  EXPECT_NE(date_of_world("one"), "");
  EXPECT_EQ(date_of_world("one"), date_of_world("other"));
}

TEST_F(Table, RefusesInALine) {
  table();
  const std::string tiny = "table IN/tiny.yaml out=OUT table.runs=IN/runs table.record=IN/r.jsonl ";
  expect_refused("table out=OUT", "file: required");
  expect_refused("table IN/none.yaml out=OUT", "file: no such file");
  expect_refused(tiny + "IN/tiny.yaml", "there is a table file already");
  expect_refused(tiny + "+x=2", "x: unknown key");
  expect_refused(tiny + "table.job=2", "table.job");
  expect_refused(tiny + "table.seeds=3", "table.seeds: 3 are wanted");
  expect_refused(tiny + "table.seeds=0", "table.seeds: 0 is not");
  expect_refused(tiny + "table.budget_minutes=0", "table.budget_minutes");
  expect_refused(tiny + "columns.knn.step=linear", "columns.knn.step: 'linear' is no step: world, pretrain or knn");
  expect_refused("world --plan out=OUT", "freeatm world has none; freeatm table has");
  table("tiny", "nano_moco", "nano_mocoo");
  expect_refused(tiny, "tiny.yaml:5: rows.random.pretrain: ");
  table("tiny", "objective.regions=pooled", "objective.regions=poled");
  expect_refused(tiny, "rows.regions.pretrain: ");
  write_file(in_ / "file", "");
  expect_refused("table IN/file out=OUT", "");
}

// Every job of every shipped table composes, and is checked, in both sizes.
TEST_F(Table, TheShippedOnesCompose) {
  int64_t count = 0;
  for (const auto& entry : fs::directory_iterator(testing::source_file("configs/table"))) {
    const std::string name = entry.path().stem();
    if (!entry.is_regular_file()) continue;
    const bool has_sizes = !name.starts_with("paper_");
    for (const std::string& size :
         has_sizes ? std::vector<std::string>{"size=quick", "size=full"} : std::vector<std::string>{""}) {
      const Outcome outcome =
          run_program(format("table {} --plan {} table.runs={} table.record={} out={}", entry.path().string(), size,
                             (in_ / "runs").string(), (in_ / "r.jsonl").string(), out().string()));
      EXPECT_EQ(outcome.code, 0) << name << "\n" << outcome.text;
      EXPECT_TRUE(contains(outcome.text, " jobs to run, ")) << name << "\n" << outcome.text;
      ++count;
    }
  }
  EXPECT_GE(count, 10);
  EXPECT_FALSE(fs::exists(out()));
}

}  // namespace
}  // namespace freeatm
