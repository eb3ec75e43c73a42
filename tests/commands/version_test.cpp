// SPDX-License-Identifier: Apache-2.0
#include "freeatm/core/version.h"

#include "program.h"

namespace freeatm {
namespace {

TEST(Program, SaysItsVersionAndWhatItWasBuiltFrom) {
  const testing::Outcome outcome = testing::run_program("--version");
  EXPECT_EQ(outcome.code, 0);
  const std::string built_from = commit().empty() ? "(LibTorch " : "(" + commit() + ", LibTorch ";
  EXPECT_TRUE(outcome.text.starts_with("freeatm " + version() + " " + built_from)) << outcome.text;
  EXPECT_TRUE(outcome.text.ends_with(")\n")) << outcome.text;
}

}  // namespace
}  // namespace freeatm
