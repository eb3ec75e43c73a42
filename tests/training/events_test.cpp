// SPDX-License-Identifier: Apache-2.0
// Event files, read back by TensorBoard's own reader.
#include "events.h"

#include <cstdlib>

#include <gtest/gtest.h>

#include "testing.h"
#include "toy.h"

namespace freeatm::training {
namespace {

using namespace testing;

TEST(Events, HaveTheCrcOfRfc3720) {
  EXPECT_EQ(crc32c("123456789"), 0xe3069283u);
  EXPECT_EQ(crc32c(std::string(32, '\0')), 0x8a9136aau);
  EXPECT_EQ(crc32c(std::string(32, '\xff')), 0x62a8ab43u);
}

class TensorBoard : public ::testing::Test {
 protected:
  void SetUp() override {
    if (std::system((python_ + " -c 'import tensorboard' 2>/dev/null").c_str()) != 0)
      GTEST_SKIP() << "no TensorBoard in .deps/judges: run scripts/setup.sh";
  }
  bool reads_what_the_lines_say() const {
    const std::string script = source_file("tests/training/read_events.py");
    return std::system((python_ + " " + script + " " + folder_.path().string() + " 2>&1").c_str()) == 0;
  }
  const std::string python_ = source_file(".deps/judges/bin/python");
  const TemporaryFolder folder_;
};

struct Stop {};

TEST_F(TensorBoard, ReadsARunThatWasInterrupted) {
  ToyRun run;
  run.options.epochs = 4;
  run.options.log_every = 2;
  for (const int64_t cut : {3, 9, 12}) {
    run.after_step = [cut](const Position& position) {
      if (position.step == cut) throw Stop{};
    };
    EXPECT_THROW(train_toy(folder_.path(), run), Stop);
    // Killed while a record was written.
    write_file(event_files(folder_.path()).back(), read_file(event_files(folder_.path()).back()) + "half a record");
  }
  run.after_step = [](const Position&) {};
  train_toy(folder_.path(), run);
  append_metrics(folder_.path(), 20, {{"val/score", 0.25}});
  EXPECT_EQ(event_files(folder_.path()).size(), 4u);
  EXPECT_TRUE(reads_what_the_lines_say());
}

TEST_F(TensorBoard, SeesAByteThatIsFlipped) {
  start_metrics(folder_.path(), 0);
  for (int64_t step = 1; step <= 3; ++step) append_metrics(folder_.path(), step, {{"loss", 1.0 / step}});
  EXPECT_TRUE(reads_what_the_lines_say());
  const fs::path file = event_files(folder_.path()).back();
  const std::string whole = read_file(file);
  for (const size_t at : {whole.size() - 2, whole.size() - 10, whole.size() - 30}) {
    std::string flipped = whole;
    flipped[at] ^= 4;
    write_file(file, flipped);
    EXPECT_FALSE(reads_what_the_lines_say()) << at;
  }
}

TEST(Events, AreCutOffAtTheStepThatARunGoesOnFrom) {
  const TemporaryFolder folder;
  start_events(folder.path(), 0, 1000);
  const fs::path file = event_files(folder.path()).back();
  const std::string head = read_file(file), one = scalar_record(1001, 300, {{"loss", 0.5}}),
                    two = scalar_record(1002, 301, {{"loss", 0.25}});
  write_file(file, head + one + two + two.substr(0, 9));
  start_events(folder.path(), 301, 900);  // the clock was set back
  EXPECT_EQ(read_file(file), head + one + two);
  EXPECT_EQ(event_files(folder.path()).back().filename(), "events.out.tfevents.0000001001.freeatm");
  start_events(folder.path(), 300, 2000);
  EXPECT_EQ(read_file(file), head + one);
  std::string flipped = head + one;
  flipped[head.size() + 20] ^= 1;
  write_file(file, flipped);
  start_events(folder.path(), 300, 2000);
  EXPECT_EQ(read_file(file), head);
}

}  // namespace
}  // namespace freeatm::training
