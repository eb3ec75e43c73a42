// SPDX-License-Identifier: Apache-2.0
// gtest_main, but that a passed test ends at once: LibTorch takes back its operators one by one, which takes .13 s.
#include <cstdio>
#include <cstdlib>

#include <gtest/gtest.h>

int main(int argc, char** argv) {
  ::testing::InitGoogleTest(&argc, argv);
  const int code = RUN_ALL_TESTS();
  std::fflush(nullptr);
#ifdef __SANITIZE_ADDRESS__
  return code;  // leaks are looked for at the end
#else
  std::_Exit(code);
#endif
}
