// SPDX-License-Identifier: Apache-2.0
// What tests of every layer share.
#pragma once
#include <filesystem>
#include <string>

#include <gtest/gtest.h>

#include "freeatm/core/error.h"

namespace freeatm::testing {

inline std::string source_file(const std::string& name) { return FREEATM_SOURCE_DIR "/" + name; }
/// A file of the repository's tests/ folder.
inline std::string test_file(const std::string& name) { return FREEATM_SOURCE_DIR "/tests/" + name; }

inline bool contains(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

/// A fresh folder that is removed with the object.
class TemporaryFolder {
 public:
  TemporaryFolder() {
    std::string pattern = (std::filesystem::temp_directory_path() / "freeatm-test-XXXXXX").string();
    path_ = mkdtemp(pattern.data());
  }
  ~TemporaryFolder() { std::filesystem::remove_all(path_); }
  std::filesystem::path operator/(const std::string& name) const { return path_ / name; }
  const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

#define EXPECT_USER_ERROR(statement, part)                                                \
  do {                                                                                    \
    try {                                                                                 \
      (void)(statement);                                                                  \
      ADD_FAILURE() << #statement << " was accepted";                                     \
    } catch (const ::freeatm::UserError& error) {                                         \
      EXPECT_NE(std::string(error.what()).find(part), std::string::npos) << error.what(); \
    }                                                                                     \
  } while (false)

}  // namespace freeatm::testing
