// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <gtest/gtest.h>

#include "freeatm/core/files.h"
#include "freeatm/world/world.h"

#include "scene.h"
#include "testing.h"

namespace freeatm::world {

constexpr int kSide = 64;

inline const Sprites& sprites() {
  static const Sprites loaded(WorldOptions{}.font);
  return loaded;
}

/// A test that is left out where the font is not installed.
class NeedsEmojiFont : public ::testing::Test {
 protected:
  void SetUp() override {
    if (!fs::exists(WorldOptions{}.font))
      GTEST_SKIP() << "no " << WorldOptions{}.font << ": install fonts-noto-color-emoji";
  }
};

}  // namespace freeatm::world
